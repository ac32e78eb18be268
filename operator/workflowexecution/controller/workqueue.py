"""The workqueue: one pass at a time for each key, many keys at once, repeated until it succeeds."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

import structlog

from workflowexecution.kube.errors import ApiError, ConflictError, text_for_logs
from workflowexecution.kube.retry import backoff

Key = TypeVar("Key", bound=Hashable)
Work = Callable[[Key], Awaitable[float | None]]


class WorkQueue(Generic[Key]):
    """Runs a pass for every key that is added; ``open`` sets the function for a pass.

    A key added during its pass gets one more pass after it. A pass that returns a number of seconds
    is repeated after that time; one that raises is repeated with back-off. Keys added before
    ``open`` are not kept: the caller of ``open`` adds all keys that need a pass. ``on_failure`` is
    called for every pass that raises, except for a write conflict.
    """

    def __init__(self, *, concurrency: int, on_failure: Callable[[], None] = lambda: None) -> None:
        self._work: Work[Key] | None = None
        self._on_failure = on_failure
        self._slots = asyncio.Semaphore(concurrency)
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._wakers: dict[Key, asyncio.Event] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._since: dict[Key, float] = {}
        self._dozing: set[Key] = set()
        self._under_way = 0
        self._moved_at = 0.0
        self._is_open = False
        self._log = structlog.get_logger("workqueue")

    def __len__(self) -> int:
        """Number of keys that wait for a pass or are in one."""
        return len(self._tasks)

    def timer_count(self) -> int:
        """Number of keys that a timer will add."""
        return len(self._timers)

    def oldest_age(self) -> float:
        """Seconds since the oldest key with work was added."""
        now = time.monotonic()
        return now - min(self._since.values(), default=now)

    def stuck_for(self) -> float:
        """Seconds since the last end of a pass, while passes are running."""
        return time.monotonic() - self._moved_at if self._under_way else 0.0

    def open(self, work: Work[Key]) -> None:
        """Begin to run passes."""
        self._work = work
        self._is_open = True

    def add(self, key: Key) -> None:
        """Run a pass for this key soon; repeated calls are safe."""
        if not self._is_open:
            return
        if timer := self._timers.pop(key, None):
            timer.cancel()
        waker = self._wakers.setdefault(key, asyncio.Event())
        waker.set()
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._run(key, waker), name=f"work {key}")

    def add_within(self, key: Key, seconds: float) -> None:
        """Run a pass for this key now, unless one is due within this many seconds."""
        timer = self._timers.get(key)
        if timer is None or timer.when() - asyncio.get_running_loop().time() > seconds:
            self.add(key)

    def add_after(self, key: Key, delay: float) -> None:
        """Run a pass for this key after this many seconds, or sooner if it is added before."""
        if not self._is_open or key in self._wakers:
            return
        if timer := self._timers.pop(key, None):
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._timers[key] = loop.call_later(delay, self.add, key)

    async def close(self, *, grace: float) -> None:
        """Accept no more keys and wait for running passes; cancel them after ``grace`` seconds.

        A key that waits for its next attempt has no running pass and is dropped at once.
        """
        self._is_open = False
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for key in self._dozing:
            self._tasks[key].cancel()
        waiting = list(self._tasks.values())
        if waiting:
            await asyncio.wait(waiting, timeout=grace)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        # A task that was cancelled before it first ran has not removed its own entries.
        self._tasks.clear()
        self._wakers.clear()

    async def _run(self, key: Key, waker: asyncio.Event) -> None:
        delay: float | None = None
        try:
            while waker.is_set():
                waker.clear()
                self._since[key] = time.monotonic()
                delay = await self._until_done(key, waker)
        finally:
            del self._tasks[key]
            del self._wakers[key]
            self._since.pop(key, None)
        if delay is not None:
            self.add_after(key, delay)

    async def _until_done(self, key: Key, waker: asyncio.Event) -> float | None:
        """Repeat the pass until it does not raise; an added key ends the back-off early."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._pass(key, waker)
            except Exception as error:
                if not self._is_open:
                    raise
                seconds = backoff(error, attempt)
                self._report(key, error, attempt, seconds)
            await self._doze(key, waker, seconds)

    async def _pass(self, key: Key, waker: asyncio.Event) -> float | None:
        async with self._slots:
            waker.clear()
            with self._one_more_under_way():
                assert self._work is not None, "a key is worked on once the queue is open"
                return await self._work(key)

    async def _doze(self, key: Key, waker: asyncio.Event, seconds: float) -> None:
        self._dozing.add(key)
        try:
            async with asyncio.timeout(seconds):
                await waker.wait()
        except TimeoutError:
            return
        finally:
            self._dozing.discard(key)

    @contextmanager
    def _one_more_under_way(self) -> Iterator[None]:
        if not self._under_way:
            self._moved_at = time.monotonic()
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._moved_at = time.monotonic()

    def _report(self, key: Key, error: Exception, attempt: int, seconds: float) -> None:
        # Another client wrote first: optimistic locking reports that as a conflict, not as a fault.
        is_fault = not isinstance(error, ConflictError)
        log = self._log.warning if is_fault else self._log.debug
        if is_fault:
            self._on_failure()
        log(
            "reconcile failed; it will be repeated",
            key=key,
            attempt=attempt,
            retry_in_s=round(seconds, 2),
            error=text_for_logs(error),
            exc_info=None if isinstance(error, ApiError) else error,
        )
