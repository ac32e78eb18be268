"""The visitors to notify of changes: a limited number, never faster than they read."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from workflowexecution.page.places import Places

MOST: Final = 64
MOST_OF_ONE: Final = 8
# Nobody's page is made anew more often than this; with many who look, less often.
_PAUSE_S: Final = 1.0
_PER_SECOND: Final = 16
# Ages grow though nothing happens, and proxies close what is silent.
_HEARTBEAT_S: Final = 10.0


class Streams:
    """Those who look, each with a flag that is raised when there is something new.

    What is raised twice before it is read counts once, so nothing is ever queued.
    """

    def __init__(self) -> None:
        self._flags: set[asyncio.Event] = set()
        self._places = Places(MOST, MOST_OF_ONE)
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._flags)

    @contextmanager
    def open(self, visitor: str) -> Iterator[asyncio.Event]:
        """A flag for one more who looks. Raises: TooManyError."""
        flag = asyncio.Event()
        with self._places.take(visitor):
            self._flags.add(flag)
            try:
                yield flag
            finally:
                self._flags.discard(flag)

    def changed(self) -> None:
        """Note that there is something new."""
        self._changed.set()

    async def tell(self) -> None:
        """Tell all who look, until cancelled."""
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
