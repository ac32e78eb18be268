"""Limits to the load by visitors: short-lived caches, and a bound on concurrent requests."""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


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
