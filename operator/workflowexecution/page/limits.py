"""Limits to the load by visitors: short-lived caches, a bound on requests, and event streams.

Streams notify browsers of changes; they are bounded in number, and never queued.
"""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Final, Generic, TypeVar

import structlog
from aiohttp import web

from workflowexecution.kube import errors
from workflowexecution.page import http_security

K = TypeVar("K")
V = TypeVar("V")
MOST_STREAMS: Final = 64
MOST_STREAMS_OF_ONE: Final = 8
# The shortest time between two notifications; with many streams it is longer.
_PAUSE_S: Final = 1.0
_PER_SECOND: Final = 16
# Without a change: ages on the page grow, and proxies close idle connections.
_HEARTBEAT_S: Final = 10.0
_WRITE_S: Final = 15.0
_LASTS: Final = timedelta(minutes=30)
_HEADERS: Final = {
    **http_security.HEADERS,
    "Content-Type": "text/event-stream",
    "X-Accel-Buffering": "no",
}
_OVER: Final = b"event: over\ndata:\n\n"
_CHANGED: Final = b"event: changed\ndata:\n\n"


class ShortCache(Generic[K, V]):
    """A cache of at most ``size`` answers, each for ``seconds`` since its request.

    Errors are not cached: the next caller sends a new request.
    """

    def __init__(
        self, *, size: int, seconds: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._size = size
        self._seconds = seconds
        self._monotonic = monotonic
        self._kept: OrderedDict[K, tuple[asyncio.Task[V], float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    async def get(self, key: K, ask: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """The cached answer, else that of ``ask``; raises the errors of ``ask``."""
        now = self._monotonic()
        known = self._kept.get(key)
        if known is None or now - known[1] >= self._seconds:
            task = asyncio.create_task(ask())
            task.add_done_callback(partial(self._ended, key))
            known = self._kept[key] = task, now
            self._kept.move_to_end(key)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        # A caller that is cancelled must not cancel the request of the others.
        return await asyncio.shield(known[0])

    def _ended(self, key: K, task: asyncio.Task[V]) -> None:
        has_failed = task.cancelled() or task.exception() is not None
        kept = self._kept.get(key)
        if has_failed and kept is not None and kept[0] is task:
            del self._kept[key]


class ShortMemo(Generic[V]):
    """A cache of one value, which is computed at most once in ``seconds``."""

    def __init__(
        self, seconds: float, work_out: Callable[[], V], monotonic: Callable[[], float]
    ) -> None:
        self._seconds = seconds
        self._work_out = work_out
        self._monotonic = monotonic
        self._kept: tuple[V, float] | None = None

    def get(self) -> V:
        """The value, at most ``seconds`` old."""
        now = self._monotonic()
        if self._kept is None or now - self._kept[1] >= self._seconds:
            self._kept = self._work_out(), now
        return self._kept[0]


class TooManyError(Exception):
    """Too many concurrent requests, in all or by one visitor."""


class Places:
    """Bounds concurrent requests: ``most`` in all, ``most_of_one`` by one visitor."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._taken = Counter[str]()

    def __len__(self) -> int:
        return self._taken.total()

    @contextmanager
    def take(self, visitor: str) -> Iterator[None]:
        """Take a place until the block ends. Raises: TooManyError."""
        if len(self) >= self._most or self._taken[visitor] >= self._most_of_one:
            raise TooManyError(f"{len(self)} of {self._most} are under way")
        self._taken[visitor] += 1
        try:
            yield
        finally:
            self._taken[visitor] -= 1
            if not self._taken[visitor]:
                del self._taken[visitor]


class Streams:
    """All open streams, each with a flag that is set after a change.

    A flag that is set twice before it is read counts once, so nothing is queued.
    """

    def __init__(self) -> None:
        self._flags: set[asyncio.Event] = set()
        self._places = Places(MOST_STREAMS, MOST_STREAMS_OF_ONE)
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._flags)

    @contextmanager
    def open(self, visitor: str) -> Iterator[asyncio.Event]:
        """Open one more stream, as its flag. Raises: TooManyError."""
        flag = asyncio.Event()
        with self._places.take(visitor):
            self._flags.add(flag)
            try:
                yield flag
            finally:
                self._flags.discard(flag)

    def changed(self) -> None:
        """Note a change."""
        self._changed.set()

    async def notify(self) -> None:
        """Set the flags of all streams after each change, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(_HEARTBEAT_S):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            for flag in self._flags:
                flag.set()
            await asyncio.sleep(max(_PAUSE_S, len(self._flags) / _PER_SECOND))


async def follow(
    request: web.Request, flag: asyncio.Event, is_let_in: Callable[[], Awaitable[bool]]
) -> web.StreamResponse:
    """Send an event each time the flag is set, until the visitor leaves or loses their rights."""
    response = web.StreamResponse(headers=_HEADERS)
    now = asyncio.get_running_loop().time
    until = now() + _LASTS.total_seconds()
    try:
        await response.prepare(request)
        await response.write(b"retry: 3000\n\n")
        while now() < until:
            await flag.wait()
            flag.clear()
            is_in = await is_let_in()
            async with asyncio.timeout(_WRITE_S):
                await response.write(_CHANGED if is_in else _OVER)
            if not is_in:
                break
    except (TimeoutError, ConnectionError, errors.ApiError) as error:
        # The browser reconnects by itself, if the visitor is still there.
        structlog.get_logger("page").debug("a stream has ended", error=str(error))
    return response
