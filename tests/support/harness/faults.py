"""Faults the proxy can inject: what strikes, when, and how often."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from harness.exchange import Exchange

Matches = Callable[[Exchange], bool]
# Gives an answer in place of the server's, or None to let things go on.
Act = Callable[[Exchange], Awaitable[web.Response | None]]


class LostConnectionError(Exception):
    """Raised by an act: the connection is closed without an answer."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """Strikes `times` matching requests after letting `skip` of them pass."""

    matches: Matches
    when: Literal["before", "after"]
    act: Act
    skip: int = 0
    times: int = 1
    struck: int = 0

    def strikes(self, exchange: Exchange) -> bool:
        """Whether it strikes this request; asked once for each."""
        if self.struck >= self.times or not self.matches(exchange):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.struck += 1
        return True


def kind(*kinds: str) -> Matches:
    """Match requests such as `patch workflowexecutions/status`."""
    return lambda exchange: exchange.kind in kinds


def is_write(exchange: Exchange) -> bool:
    """Match every request for a change."""
    return exchange.is_write


def answer(status: int, reason: str = "", retry_after: int | None = None, message: str = "") -> Act:
    """Answer with an error in the API server's form."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": message or f"injected {status}",
        "reason": reason,
        "code": status,
    }
    headers = {"Content-Type": "application/json"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)

    async def act(_: Exchange) -> web.Response:
        return web.Response(status=status, text=json.dumps(body), headers=headers)

    return act


async def drop(_: Exchange) -> None:
    """Close the connection; after the server's answer, this loses a committed write's reply."""
    raise LostConnectionError


async def end_stream(_: Exchange) -> web.Response:
    """Answer a watch with nothing at all, in good form."""
    return web.Response(text="", content_type="application/json")


def hang(seconds: float) -> Act:
    """Say nothing for so long, then close the connection."""

    async def act(_: Exchange) -> None:
        await asyncio.sleep(seconds)
        raise LostConnectionError

    return act


def call(function: Callable[[], None]) -> Act:
    """Call a function, e.g. one that kills the asker, and close the connection."""

    async def act(_: Exchange) -> None:
        function()
        raise LostConnectionError

    return act
