"""Faults the proxy can inject: what strikes, when, and how often."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from harness.exchange import Exchange
from workflowexecution.kube.client import OF_SERVER

Matches = Callable[[Exchange], bool]
# Gives an answer in place of the server's, or None to let things go on.
Act = Callable[[Exchange], Awaitable[web.Response | None]]


class LostConnectionError(Exception):
    """Raised by an act: the connection is closed without an answer."""


class HalfReplyError(Exception):
    """Raised by an act after a request: half of the answer is sent, then the connection is lost."""


class CarriedOutLateError(LostConnectionError):
    """Raised by an act before a request: it reaches the server so many seconds later."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


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


def is_list(exchange: Exchange) -> bool:
    """Match every list."""
    return exchange.verb == "list"


def is_continued(exchange: Exchange) -> bool:
    """Match every page of a list but the first."""
    return exchange.is_continued


def is_watch(exchange: Exchange) -> bool:
    """Match every watch."""
    return exchange.verb == "watch"


def anything(_: Exchange) -> bool:
    """Match every request."""
    return True


def without_token(token: str) -> Matches:
    """Match requests that carry another token than this one."""
    return lambda exchange: exchange.authorization != f"Bearer {token}"


def status_of(status: int, reason: str = "", message: str = "") -> dict[str, Any]:
    """An error as the API server words it."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": message or f"injected {status}",
        "reason": reason,
        "code": status,
    }


def answer(status: int, reason: str = "", retry_after: int | None = None, message: str = "") -> Act:
    """Answer with an error in the API server's form."""
    body = status_of(status, reason, message)
    headers = {"Content-Type": "application/json", OF_SERVER: "an-id"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)

    async def act(_: Exchange) -> web.Response:
        return web.Response(status=status, text=json.dumps(body), headers=headers)

    return act


def given(item: dict[str, Any]) -> Act:
    """Answer with this object, as if the request had been carried out and had changed nothing."""

    async def act(_: Exchange) -> web.Response:
        return web.json_response(item)

    return act


def page(status: int, text: str) -> Act:
    """Answer with a page for people, as something between the operator and the server does."""

    async def act(_: Exchange) -> web.Response:
        return web.Response(status=status, text=text, content_type="text/html")

    return act


async def drop(_: Exchange) -> None:
    """Close the connection; after the server's answer, this loses a committed write's reply."""
    raise LostConnectionError


async def halve(_: Exchange) -> None:
    """Lose the connection in the midst of the answer."""
    raise HalfReplyError


async def end_stream(_: Exchange) -> web.Response:
    """Answer a watch with nothing at all, in good form."""
    return web.Response(text="", content_type="application/json")


def hang(seconds: float) -> Act:
    """Say nothing for so long, then close the connection."""

    async def act(_: Exchange) -> None:
        await asyncio.sleep(seconds)
        raise LostConnectionError

    return act


def delay(seconds: float) -> Act:
    """Let a request wait for so long, and then go on."""

    async def act(_: Exchange) -> None:
        await asyncio.sleep(seconds)

    return act


def late(seconds: float) -> Act:
    """Close the connection; the request reaches the server all the same, but only then."""

    async def act(_: Exchange) -> None:
        raise CarriedOutLateError(seconds)

    return act


class Replay:
    """Answers each list as it was when it was asked for first: as a server that lags behind."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    async def __call__(self, exchange: Exchange) -> web.Response:
        """Answer in place of the server, which has answered."""
        kept = self._kept.setdefault(exchange.url, exchange.reply)
        return web.Response(body=kept, content_type="application/json")


def call(function: Callable[[], None]) -> Act:
    """Call a function, e.g. one that kills the asker, and close the connection."""

    async def act(_: Exchange) -> None:
        function()
        raise LostConnectionError

    return act
