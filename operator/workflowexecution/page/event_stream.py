"""The stream that notifies a browser of changes."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import structlog
from aiohttp import web

from workflowexecution.kube import errors
from workflowexecution.page import doors

_WRITE_S: Final = 15.0
_LASTS: Final = timedelta(minutes=30)
_HEADERS: Final = {
    **doors.HEADERS,
    "Content-Type": "text/event-stream",
    "X-Accel-Buffering": "no",
}
_OVER: Final = b"event: over\ndata:\n\n"
_CHANGED: Final = b"event: changed\ndata:\n\n"


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
