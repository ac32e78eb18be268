"""An event loop without a world outside: it runs what is ready, and its time is the model's."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

_T = TypeVar("_T")
# Most of a loop is for sockets, processes and signals; nobody here asks for those.
_Loop: Any = asyncio.AbstractEventLoop


class ModelLoop(_Loop):  # type: ignore[misc]
    """The loop of one operator process; it stands still between two calls.

    ``seconds`` tells the time. ``troubles`` is what no code of the operator caught.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self.time = seconds
        self.troubles: list[dict[str, Any]] = []
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[asyncio.TimerHandle] = []

    def run_until_idle(self) -> None:
        """Run everything that can run now."""
        asyncio._set_running_loop(self)
        try:
            while self._ready or self._take_due():
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            asyncio._set_running_loop(None)

    def start(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Begin a task and run it as far as it goes."""
        task = self.create_task(work)
        self.run_until_idle()
        return task

    def _take_due(self) -> bool:
        while self._timers and self._timers[0].when() <= self.time():
            self._ready.append(heapq.heappop(self._timers))
        return bool(self._ready)

    # What asyncio asks of a loop.

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def create_task(self, coro: Any, *, name: str | None = None, **given: Any) -> asyncio.Task[Any]:
        return asyncio.Task(coro, loop=self, name=name, **given)

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.troubles.append(context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A timer that was cancelled is passed over when it is due."""
