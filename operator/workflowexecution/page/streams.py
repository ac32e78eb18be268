"""The streams that notify browsers of changes: a limited number, never faster than they read."""

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
# Nobody's page is made anew more often than this; with many who look, less often.
_PAUSE_S: Final = 1.0
_PER_SECOND: Final = 16
# Ages grow though nothing happens, and proxies close what is silent.
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


async def follow(
    request: web.Request, flag: asyncio.Event, is_let_in: Callable[[], Awaitable[bool]]
) -> web.StreamResponse:
    """Tell a visitor each time the flag is raised, until they go or are let in no more."""
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
        # Their browser comes back by itself, if they are still there.
        structlog.get_logger("page").debug("a stream has ended", error=str(error))
    return response
