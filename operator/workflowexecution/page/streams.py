"""Event streams that notify browsers of changes: bounded in number, and never queued."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import structlog
from aiohttp import web

from workflowexecution.kube import errors
from workflowexecution.page import http_security
from workflowexecution.page.limits import Places

MOST: Final = 64
MOST_OF_ONE: Final = 8
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


class Streams:
    """All open streams, each with a flag that is set after a change.

    A flag that is set twice before it is read counts once, so nothing is queued.
    """

    def __init__(self) -> None:
        self._flags: set[asyncio.Event] = set()
        self._places = Places(MOST, MOST_OF_ONE)
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
