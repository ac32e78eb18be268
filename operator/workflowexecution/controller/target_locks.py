"""A lock for each target within this process: it spares requests, it is not what keeps us safe.

Two operators do not share it. What keeps a target safe is the run's name.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class TargetLocks:
    """Locks by slot key; one that nobody holds or waits for is gone, so none can be leaked."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of one target."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            yield
