"""Some changes call kopf at once, and the others wait for the next call."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from aiohttp.base_protocol import BaseProtocol

from workflowexecution.kube import watch_tap
from workflowexecution.kube.watch_tap import PLACE_LOST, Inbox, WatchTap

WITHIN_S = 5


def line(version: int, uid: str, *, can_wait: bool = False, kind: str = "MODIFIED") -> bytes:
    meta = {"uid": uid, "resourceVersion": str(version)}
    changed = {"metadata": meta, "canWait": can_wait}
    return msgspec.json.encode({"type": kind, "object": changed}) + b"\n"


def can_wait(kind: str, changed: dict[str, Any]) -> bool:
    return kind == "MODIFIED" and bool(changed["canWait"])


class Stream:
    """A connection that sends what a test says, and what kopf would read of it."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        protocol = BaseProtocol(loop)
        protocol.connection_made(asyncio.Transport())
        self.content = aiohttp.StreamReader(protocol, 2**16, loop=loop)
        self.inbox = Inbox()
        tap = WatchTap("/things", self.inbox, lambda: None, can_wait=can_wait)
        self.lines = tap.lines(self.content)

    def send(self, *lines: bytes) -> None:
        self.content.feed_data(b"".join(lines))

    async def call(self) -> tuple[str, list[tuple[str, str]]]:
        """The version and the changes of the next call of a handler: UID and version of each."""
        async with asyncio.timeout(WITHIN_S):
            told = await anext(self.lines)
        note = msgspec.json.decode(told)["object"]
        changes = self.inbox.take(note)
        metas = [change.changed["metadata"] for change in changes]
        version: str = note["metadata"]["resourceVersion"]
        return version, [(meta["uid"], meta["resourceVersion"]) for meta in metas]


@pytest_asyncio.fixture
async def stream() -> AsyncIterator[Stream]:
    stream = Stream()
    yield stream
    await stream.lines.aclose()  # type: ignore[attr-defined]


async def test_changes_that_come_at_once_share_a_call(stream: Stream) -> None:
    stream.send(line(2, "a"), line(3, "b"), line(4, "a"))
    assert await stream.call() == ("4", [("a", "2"), ("b", "3"), ("a", "4")])


async def test_a_change_that_can_wait_comes_with_the_next_that_cannot(stream: Stream) -> None:
    stream.send(line(2, "a", can_wait=True))
    call = asyncio.create_task(stream.call())
    await asyncio.sleep(0)
    assert not call.done()
    stream.send(line(3, "b"))
    assert await call == ("3", [("a", "2"), ("b", "3")])


async def test_of_changes_that_wait_the_newest_of_an_object_is_handed_on(stream: Stream) -> None:
    stream.send(line(2, "a", can_wait=True), line(3, "b", can_wait=True))
    stream.send(line(4, "a", can_wait=True), line(5, "a"))
    assert await stream.call() == ("5", [("b", "3"), ("a", "4"), ("a", "5")])


async def test_no_change_that_cannot_wait_is_left_out(stream: Stream) -> None:
    stream.send(line(2, "a", kind="ADDED"), line(3, "a", can_wait=True), line(4, "a"))
    stream.send(line(5, "a", kind="DELETED"))
    assert await stream.call() == ("5", [("a", "2"), ("a", "3"), ("a", "4"), ("a", "5")])


async def test_what_waits_is_handed_on_after_a_moment(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_tap, "_WAITS_S", 0.1)
    began = asyncio.get_running_loop().time()
    stream.send(line(2, "a", can_wait=True))
    assert await stream.call() == ("2", [("a", "2")])
    assert asyncio.get_running_loop().time() - began >= 0.1


async def test_a_steady_flow_of_what_can_wait_does_not_wait_for_ever(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moment counts from the first that waits, not from the last."""
    monkeypatch.setattr(watch_tap, "_WAITS_S", 0.2)
    call = asyncio.create_task(stream.call())
    async with asyncio.timeout(WITHIN_S):
        for number in range(2, 1000):
            stream.send(line(number, "a", can_wait=True))
            if (await asyncio.wait({call}, timeout=0.02))[0]:
                break
    version, changes = await call
    assert changes == [("a", version)]


async def test_a_bookmark_hands_on_what_waits(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_tap, "_WAITS_S", 10 * WITHIN_S)
    stream.send(line(2, "a", can_wait=True), line(9, "", kind="BOOKMARK"))
    assert await stream.call() == ("9", [("a", "2")])


async def test_where_the_stream_ends_all_that_waits_is_handed_on(stream: Stream) -> None:
    stream.send(line(2, "a", can_wait=True))
    stream.content.feed_eof()
    assert await stream.call() == ("2", [("a", "2")])


async def test_what_waits_comes_before_the_place_is_lost(stream: Stream) -> None:
    gone = {"type": "ERROR", "object": {"code": 410, "reason": "Expired"}}
    stream.send(line(2, "a", can_wait=True), msgspec.json.encode(gone) + b"\n")
    first, second, _ = (await anext(stream.lines)).split(b"\n")
    assert msgspec.json.decode(first)["object"]["metadata"]["resourceVersion"] == "2"
    assert second + b"\n" == PLACE_LOST


async def test_what_waits_comes_before_a_stream_is_lost(stream: Stream) -> None:
    stream.send(line(2, "a", can_wait=True), b"no event\n")
    assert await stream.call() == ("2", [("a", "2")])
    with pytest.raises(aiohttp.ClientPayloadError):
        await anext(stream.lines)


async def test_a_connection_that_times_out_ends_the_stream(stream: Stream) -> None:
    """It raises the error that also says that something has waited for long enough."""
    stream.send(line(2, "a"))
    assert await stream.call() == ("2", [("a", "2")])
    stream.content.set_exception(aiohttp.SocketTimeoutError())
    with pytest.raises(aiohttp.SocketTimeoutError):
        await anext(stream.lines)
