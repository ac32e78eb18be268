"""Visitors take nothing from each other, except within bounds and for a short time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from workflowexecution.cache.store import Store
from workflowexecution.observe.web_server import WebServer
from workflowexecution.page import http_security
from workflowexecution.page.gate import Right, Visitor
from workflowexecution.page.limits import Streams
from workflowexecution.page.recent import Recent
from workflowexecution.page.server import Server


class Gate:
    """Knows each token as the name of a visitor; lets them see where it is told so."""

    is_for_loopback = False
    audience = ""

    def __init__(self) -> None:
        self.sees: set[tuple[str, str]] = set()
        self.asked = asyncio.Semaphore(0)
        self.answers = asyncio.Event()
        self.answers.set()

    async def visitor_of(self, token: str) -> Visitor | None:
        return Visitor(token) if token else None

    async def may(self, visitor: Visitor, right: Right) -> bool:
        self.asked.release()
        await self.answers.wait()
        return (visitor.name, right.namespace) in self.sees


class Stage:
    """A server for visitors of the test, and what it asks."""

    def __init__(self) -> None:
        self.gate, self.streams, self.recent = Gate(), Streams(), Recent()
        self.recent.is_complete = True
        view: Any = SimpleNamespace(
            clock=SimpleNamespace(monotonic=time.monotonic),
            store=Store("runs"),
            policy=SimpleNamespace(
                template=SimpleNamespace(namespace="runs"), serves=lambda _: True
            ),
        )
        sources: Any = None
        server = Server(view, sources, self.gate, self.streams, lambda: self.recent)
        self.web = WebServer(server.application(), shutdown_timeout=0.1, handler_cancellation=True)
        self.url = ""

    @asynccontextmanager
    async def visit(
        self, path: str, visitor: str = "", **headers: str
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        told = {"Authorization": f"Bearer {visitor}"} if visitor else {}
        async with (
            aiohttp.ClientSession(headers={**told, **headers}) as session,
            session.get(self.url + path) as answer,
        ):
            yield answer

    async def status(self, path: str, visitor: str = "") -> int:
        async with self.visit(path, visitor) as answer:
            return answer.status


@asynccontextmanager
async def opened() -> AsyncIterator[Stage]:
    stage = Stage()
    stage.url = f"http://127.0.0.1:{await stage.web.start('127.0.0.1', 0)}"
    teller = asyncio.create_task(stage.streams.notify())
    try:
        yield stage
    finally:
        stage.gate.answers.set()
        await stage.web.close()
        teller.cancel()
        await asyncio.gather(teller, return_exceptions=True)


async def test_one_visitor_who_asks_for_much_leaves_places_to_others() -> None:
    async with opened() as stage:
        stage.gate.answers.clear()
        waiting = [
            asyncio.create_task(stage.status("/executions/a/x", "greedy")) for _ in range(16)
        ]
        async with asyncio.timeout(10):
            for _ in waiting:
                await stage.gate.asked.acquire()
        assert await stage.status("/executions/a/x", "greedy") == 503
        another = asyncio.create_task(stage.status("/executions/a/x", "ann"))
        await asyncio.sleep(0)
        stage.gate.answers.set()
        # Neither may see it, and so is told that it is not there.
        assert await another == 404
        assert set(await asyncio.gather(*waiting)) == {404}
        assert await stage.status("/executions/a/x", "greedy") == 404


async def test_a_stream_is_for_who_may_see_something_and_ends_with_that() -> None:
    async with opened() as stage:
        assert await stage.status("/events", "ann") == 403
        assert await stage.status("/events?namespace=a", "ann") == 403
        stage.gate.sees = {("ann", "a")}
        assert await stage.status("/events?namespace=b", "ann") == 403
        async with stage.visit("/events?namespace=a", "ann") as answer:
            assert answer.status == 200
            stage.streams.changed()
            assert await _event(answer) == "changed"
            stage.gate.sees.clear()
            stage.streams.changed()
            assert await _event(answer) == "over"
            assert await answer.content.read() == b"data:\n\n"
        assert len(stage.streams) == 0


@pytest.mark.parametrize("namespace", ["", "runs"])
async def test_who_sees_all_or_holds_alone_may_listen(namespace: str) -> None:
    async with opened() as stage:
        stage.gate.sees = {("ann", namespace)}
        async with stage.visit("/events", "ann") as answer:
            assert answer.status == 200


async def test_until_executions_have_been_read_nobody_is_turned_away_and_then_they_are() -> None:
    async with opened() as stage:
        stage.recent.is_complete = False
        async with stage.visit("/events", "ann") as answer:
            stage.streams.changed()
            assert await _event(answer) == "changed"
            stage.recent.is_complete = True
            stage.streams.changed()
            assert await _event(answer) == "over"


async def test_a_body_that_does_not_come_is_waited_for_so_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_security, "BODY_S", 0.2)
    async with opened() as stage:
        host, _, port = stage.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"
        writer.write(head)
        async with asyncio.timeout(5):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"Connection: close" in answer
        writer.close()
        await writer.wait_closed()


async def _event(answer: aiohttp.ClientResponse) -> str:
    async with asyncio.timeout(10):
        async for line in answer.content:
            if line.startswith(b"event:"):
                return line.decode().partition(":")[2].strip()
    raise AssertionError("the stream ended without a word")
