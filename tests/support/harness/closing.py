"""The end of an event loop's connections, which closing them only begins."""

from __future__ import annotations

import asyncio
from typing import Any

_EVERY_S = 0.01
_AT_MOST_S = 5.0


async def until_closed() -> None:
    """Wait until no connection of this loop is open any more.

    Through TLS that takes a moment, which is longer where the machine is busy; what is still open
    when the loop ends is complained about in whatever test runs then.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _AT_MOST_S
    # Nobody else knows them all.
    transports: Any = getattr(loop, "_transports", {})
    while any(_is_open(one) for one in transports.values()) and loop.time() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(_EVERY_S)


def _is_open(transport: Any) -> bool:
    return getattr(transport, "_sock", None) is not None
