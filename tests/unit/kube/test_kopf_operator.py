"""A watch by kopf delivers all changes, or reports that it may have missed some."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
import tenacity
from aiohttp import web
from structlog.testing import capture_logs

from kopf_server import (
    DISCOVERY,
    PATH,
    PREFIX,
    WITHIN_S,
    Memo,
    Seen,
    Server,
    Stream,
    error_line,
    line,
)
from workflowexecution.kube import kopf_operator, kopf_session, retry, watch_tap
from workflowexecution.kube.access import Access, RequestTally
from workflowexecution.kube.kopf_operator import KopfOperator
from workflowexecution.kube.kopf_session import WatchSessions, kopf
from workflowexecution.kube.watch_tap import Inbox, WatchTap


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_tap, "PAUSE_S", 0.01)
    monkeypatch.setattr(kopf_session, "PAUSE_S", 0.01)
    monkeypatch.setattr(retry, "_WHILE_AWAY", tenacity.wait_fixed(0.01))
    monkeypatch.setattr(retry, "_OF_A_RESTART", tenacity.wait_fixed(0.01))


REGISTRY = kopf.OperatorRegistry()


@kopf.on.startup(registry=REGISTRY)
async def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    kopf_session.set_up(settings)


@kopf.on.login(registry=REGISTRY)
async def login(memo: Memo, **_: Any) -> kopf.AiohttpSession:
    session: kopf.AiohttpSession = await memo.login()
    return session


@kopf.on.event("example.com", "v1", "things", registry=REGISTRY)
async def changed(event: kopf.RawEvent, memo: Memo, **_: Any) -> None:
    changes = memo.inbox.take(event["object"])
    assert changes
    memo.seen.calls += 1
    for change in changes:
        memo.seen.deliver(*change)


@pytest_asyncio.fixture
async def signals() -> AsyncIterator[list[int]]:
    """The SIGTERMs that have come, as the process took them before kopf began."""
    told: list[int] = []
    yield told
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)


@pytest.fixture
def keep_signals(signals: list[int]) -> Callable[[], None]:
    def keep() -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, signals.append, 1)

    return keep


@pytest_asyncio.fixture
async def stream(
    server: Server, seen: Seen, keep_signals: Callable[[], None]
) -> AsyncIterator[Stream]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    at = f"http://127.0.0.1:{runner.addresses[0][1]}{PREFIX}"
    access = Access(at, False, lambda: None)
    inbox, tally = Inbox(), RequestTally()
    tap = WatchTap(PATH, inbox, seen.on_gap)
    sessions = WatchSessions(access, [tap], tally)
    memo = Memo(sessions.login, inbox, seen)
    operator = KopfOperator(REGISTRY, memo, sessions, [tap], ["ns"], keep_signals)
    yield Stream(operator, tap, inbox, tally)
    server.is_over.set()
    await operator.stop()
    await runner.cleanup()


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not reached():  # noqa: ASYNC110 (a deadline is set)
            await asyncio.sleep(0.01)


async def until_seen(stream: Stream, seen: Seen, *names: str) -> None:
    """Watch until just these objects were delivered, in this order."""
    stream.operator.start()
    await until(lambda: len(seen.events) >= len(names))
    assert [name for _, name in seen.events] == list(names)


async def test_changes_are_delivered_from_where_it_began(
    server: Server, stream: Stream, seen: Seen
) -> None:
    server.scripts = [[line("ADDED", 2, "a"), line("BOOKMARK", 3), line("DELETED", 4, "b")]]
    await until_seen(stream, seen, "a", "b")
    assert seen.events == [("ADDED", "a"), ("DELETED", "b")]
    assert (server.lists, server.watched_from, seen.gaps) == (1, ["1"], 0)
    assert (stream.tap.name, stream.operator.problem(), stream.health.not_ready()) == (
        "things",
        "",
        "",
    )


async def test_a_line_may_come_in_pieces(server: Server, stream: Stream, seen: Seen) -> None:
    whole = line("ADDED", 2, "a" * 300_000) + line("ADDED", 3, "b")
    cut = len(whole) - 40
    server.scripts = [[whole[:7], whole[7:cut], whole[cut:]]]
    await until_seen(stream, seen, "a" * 300_000, "b")


async def test_a_stream_that_ends_goes_on_where_it_was(
    server: Server, stream: Stream, seen: Seen
) -> None:
    server.scripts = [[line("ADDED", 2, "a")], [line("BOOKMARK", 9)], [line("ADDED", 10, "b")]]
    await until_seen(stream, seen, "a", "b")
    assert (server.lists, server.watched_from, seen.gaps) == (1, ["1", "2", "9"], 0)


async def test_a_stream_that_falls_silent_is_opened_anew(
    server: Server, stream: Stream, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last script is held open; here it is silent until the time is over."""
    monkeypatch.setattr(kopf_session, "SILENCE_S", 0.3)
    server.scripts = [[line("ADDED", 2, "a")]]
    stream.operator.start()
    await until(lambda: len(seen.events) == 1)
    server.scripts = [[line("ADDED", 3, "b")]]
    await until(lambda: len(seen.events) == 2)
    assert server.watched_from == ["1", "2"]


@pytest.mark.parametrize(
    "expired", [410, [error_line(410, "Expired")]], ids=["refused", "told-in-the-stream"]
)
async def test_where_its_place_is_lost_it_says_that_something_was_missed(
    server: Server, stream: Stream, seen: Seen, expired: int | list[bytes]
) -> None:
    server.version = 7
    server.scripts = [expired, [line("ADDED", 8, "a")]]
    with capture_logs() as logs:
        await until_seen(stream, seen, "a")
    assert not any("begins again" in one["event"] for one in logs)
    assert (server.lists, server.watched_from, seen.gaps) == (2, ["7", "7"], 1)


async def test_a_place_that_is_lost_for_good_is_told_once_it_is_found(
    server: Server, stream: Stream, seen: Seen
) -> None:
    """Each gap costs a full resync: one, not one for each attempt."""
    server.scripts = [410, 410, 410, [line("ADDED", 2, "a")]]
    await until_seen(stream, seen, "a")
    assert (server.lists, seen.gaps) == (4, 1)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
async def test_refusals_are_told_and_outlasted(
    server: Server, stream: Stream, seen: Seen, status: int
) -> None:
    server.scripts = [status] * 400
    stream.operator.start()
    await until(lambda: stream.health.not_ready() != "")
    assert (
        f"the watch of things is refused: GET {PREFIX}{PATH}: {status}" in stream.health.not_ready()
    )
    server.scripts = [[line("ADDED", 2, "a")]]
    await until(lambda: bool(seen.events))
    assert stream.health.not_ready() == ""
    assert (server.lists, seen.gaps) == (1, 0)


@pytest.mark.parametrize(
    "odd",
    [b"<html>\n", b"null\n", b'{"type": "ADDED"}\n', b'{"type": "ADDED", "object": {}}\n'],
)
async def test_what_is_no_event_is_asked_for_again(
    server: Server, stream: Stream, seen: Seen, odd: bytes
) -> None:
    server.scripts = [[line("ADDED", 2, "a"), odd], [error_line(500, "")], [line("ADDED", 3, "b")]]
    await until_seen(stream, seen, "a", "b")
    assert (server.watched_from, seen.gaps) == (["1", "2", "2"], 0)


async def test_what_is_no_event_is_not_logged(server: Server, stream: Stream, seen: Seen) -> None:
    """It may be half of an object, with all that a user has put into it."""
    half = b'{"type":"MODIFIED","object":{"metadata":{"annotations":{"note":"s3cret"\n'
    server.scripts = [[half], [line("ADDED", 2)]]
    with capture_logs() as logs:
        stream.operator.start()
        await until(lambda: bool(seen.events))
    assert any("stream was lost" in entry["event"] for entry in logs)
    assert "s3cret" not in repr(logs)


async def test_an_error_in_the_stream_is_no_sign_of_life(
    server: Server, stream: Stream, seen: Seen
) -> None:
    server.scripts = [[error_line(500, "")]] * 400
    stream.operator.start()
    await until(lambda: len(server.watched_from) >= 5)
    assert stream.health.silence() > 0.02


async def test_it_says_when_it_is_over(server: Server, stream: Stream) -> None:
    server.scripts = [[]]
    stream.operator.start()
    await stream.has_begun()
    await stream.operator.stop()
    assert stream.operator.problem() == "the watch of things ended: stopped"


async def test_an_object_of_any_depth_is_delivered(
    server: Server, stream: Stream, seen: Seen
) -> None:
    """kopf itself ends with what Python's decoder cannot read."""
    deep = b"[" * 5000 + b"]" * 5000
    odd = line("ADDED", 3, "deep").replace(b'"object": {', b'"object": {"spec": ' + deep + b", ")
    server.scripts = [[line("ADDED", 2, "a"), odd, line("ADDED", 4, "b")]]
    await until_seen(stream, seen, "a", "deep", "b")
    assert server.watched_from == ["1"]


async def test_a_stream_that_is_closed_at_once_is_not_opened_again_at_once(
    server: Server, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_tap, "PAUSE_S", 0.2)
    server.scripts = [[] for _ in range(400)]
    stream.operator.start()
    await until(lambda: len(server.watched_from) >= 1)
    began = time.monotonic()
    await until(lambda: len(server.watched_from) >= 5)
    assert time.monotonic() - began > 0.75


def crash_once(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have kopf end with an error that nobody foresaw, at the next stream."""
    opened, left = stream.tap.lines, [1]

    def broken_once(content: Any) -> AsyncIterator[bytes]:
        if left:
            raise ZeroDivisionError(left.pop())
        return opened(content)

    monkeypatch.setattr(stream.tap, "lines", broken_once)


async def test_where_kopf_ends_it_begins_again_and_says_that_something_was_missed(
    server: Server, stream: Stream, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash_once(stream, monkeypatch)
    server.scripts = [[], [line("ADDED", 3, "b")]]
    with capture_logs() as logs:
        await until_seen(stream, seen, "b")
    assert (server.lists, seen.gaps, stream.operator.problem()) == (2, 1, "")
    assert [one["log_level"] for one in logs if "begins again" in one["event"]] == ["error"]
    assert stream.health.not_ready() == ""


async def test_an_end_of_kopf_ends_no_task_of_ours(
    server: Server, stream: Stream, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kopf takes each task that is begun after it for its own."""
    crash_once(stream, monkeypatch)
    server.scripts = [[], [line("ADDED", 3, "b")]]
    stream.operator.start()
    await stream.has_begun()
    ours = asyncio.create_task(server.is_over.wait())
    await until(lambda: bool(seen.events))
    assert not ours.done()
    await stream.operator.stop()
    assert not ours.done()
    ours.cancel()


async def test_signals_stay_with_the_process_each_time_kopf_begins(
    server: Server,
    stream: Stream,
    seen: Seen,
    signals: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crash_once(stream, monkeypatch)
    server.scripts = [[], [line("ADDED", 3, "b")]]
    await until_seen(stream, seen, "b")
    os.kill(os.getpid(), signal.SIGTERM)
    await until(lambda: bool(signals))
    assert (signals, stream.operator.problem()) == ([1], "")


async def test_nothing_is_remembered_and_no_object_is_changed(
    server: Server, stream: Stream, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kopf remembers objects until they are deleted, and takes its finalizer away from others'."""
    made: list[Any] = []

    def forgetful() -> Any:
        made.append(kopf_session.forgetful_memories())
        return made[-1]

    monkeypatch.setattr(kopf_operator, "forgetful_memories", forgetful)
    finalizer = kopf.OperatorSettings().persistence.finalizer
    marked = line("ADDED", 3, "b").replace(
        b'"metadata": {', f'"metadata": {{"finalizers": ["{finalizer}"], '.encode()
    )
    server.scripts = [[line("ADDED", 2, "a"), marked, line("MODIFIED", 4, "a")]]
    await until_seen(stream, seen, "a", "b", "a")
    assert [list(one.iter_all_memories()) for one in made] == [[]]
    assert len(stream.inbox) == 0
    assert {one.split()[0] for one in server.asked} == {"GET"}


def test_kopf_is_set_up_to_touch_nothing() -> None:
    settings, plain = kopf_session.new_settings(), kopf.OperatorSettings()
    kopf_session.set_up(settings)
    assert settings.persistence.finalizer != plain.persistence.finalizer
    assert settings.process.ultimate_exiting_timeout is None


async def test_what_is_not_served_at_first_is_watched_once_it_is(
    server: Server, stream: Stream, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kopf asks once what there is, and waits for the rest for good."""
    monkeypatch.setattr(kopf_operator, "_ASKS_WITHIN_S", 0.3)
    server.discovery = {"/apis/example.com/v1": [404]}
    server.scripts = [[line("ADDED", 2, "a")]]
    with capture_logs() as logs:
        await until_seen(stream, seen, "a")
    (ended,) = (one for one in logs if "begins again" in one["event"])
    assert ended["error"] == "it returned"


@pytest.mark.parametrize("trouble", [401, 403, 500, b"<html>"])
async def test_trouble_while_it_finds_out_what_is_served_is_outlasted(
    server: Server, stream: Stream, seen: Seen, trouble: int | bytes
) -> None:
    server.discovery = {"/apis": [trouble] * 3}
    server.scripts = [[line("ADDED", 2, "a")]]
    await until_seen(stream, seen, "a")
    assert stream.health.not_ready() == ""


@pytest.mark.parametrize("odd", [b"<html>", b"null", b'{"metadata": {}}'])
async def test_a_list_that_is_none_is_asked_for_again(
    server: Server, stream: Stream, seen: Seen, odd: bytes
) -> None:
    """Without a version kopf would be told of every object there is."""
    server.odd_lists = [odd, odd]
    server.scripts = [[line("ADDED", 2, "a")]]
    await until_seen(stream, seen, "a")
    assert (server.lists, server.watched_from, seen.gaps) == (3, ["1"], 0)


async def test_requests_are_counted(server: Server, stream: Stream, seen: Seen) -> None:
    server.scripts = [503, [line("ADDED", 2, "a")]]
    await until_seen(stream, seen, "a")
    counted = dict(stream.tally.answers)
    discovered = counted.pop(("GET", 200))
    assert counted == {("LIST", 200): 1, ("WATCH", 503): 1, ("WATCH", 200): 1}
    assert discovered == len(DISCOVERY)
