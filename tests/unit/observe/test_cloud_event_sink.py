"""CloudEvents at a real receiver that refuses, hangs, is down or loses its answer."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
import pytest_asyncio
from prometheus_client import Counter
from structlog.testing import capture_logs

from builders import NOW, make_execution
from harness.receiver import Receiver, open_receiver
from kept_journal import KeptJournal
from told_phases import BEFORE, ended, running, with_status
from workflowexecution.kube import retry
from workflowexecution.observe import cloud_event_sink
from workflowexecution.observe.cloud_event_sink import CloudEventSink
from workflowexecution.observe.metrics import Metrics

DAY = timedelta(days=1)
DOWN = 503


@pytest.fixture
def results() -> Counter:
    return Metrics().cloud_events


@pytest_asyncio.fixture
async def sink() -> AsyncIterator[Receiver]:
    async with open_receiver("/events") as receiver:
        yield receiver


@pytest_asyncio.fixture
async def sender(sink: Receiver, results: Counter) -> AsyncIterator[CloudEventSink]:
    one = CloudEventSink(sink.url, results, window=DAY)
    yield one
    await one.leave()
    await one.close()


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_WHILE_AWAY", lambda _: 0.01)
    monkeypatch.setattr(cloud_event_sink, "_LEAVE_S", 0.05)


def count(result: str, results: Counter) -> float:
    return float(results.labels(result=result)._value.get())


async def until_counted(result: str, number: int, results: Counter) -> None:
    async with asyncio.timeout(10):
        while count(result, results) < number:  # noqa: ASYNC110 (a counter tells nobody)
            await asyncio.sleep(0.01)


def complete(sender: CloudEventSink, name: str = "mine") -> None:
    """Have both events of a life sent."""
    execution = make_execution(name)
    sender.phase_changed(with_status(execution, running()), BEFORE, running(), now=NOW)
    sender.phase_changed(with_status(execution, ended()), running(), ended(), now=NOW)


def ids(requests: Sequence[tuple[dict[str, str], bytes]]) -> list[str]:
    return [headers["ce-id"].removeprefix("uid-of-") for headers, _ in requests]


async def test_events_of_an_execution_come_in_order(
    sink: Receiver, sender: CloudEventSink, results: Counter
) -> None:
    complete(sender)
    await until_counted("delivered", 2, results)
    assert ids(sink.taken) == ["mine-running", "mine-completed"]


@pytest.mark.parametrize("answers", [[500] * 6, [404, 401, 409, 302, 429]], ids=["down", "wrong"])
async def test_what_is_not_taken_is_sent_again_until_it_is(
    sink: Receiver, sender: CloudEventSink, results: Counter, answers: list[int]
) -> None:
    sink.answers = list(answers)
    with capture_logs() as logs:
        complete(sender)
        await until_counted("delivered", 2, results)
    number = len(answers)
    assert ids(sink.taken) == ["mine-running"] * (number + 1) + ["mine-completed"]
    assert len({body for _, body in sink.taken[: number + 1]}) == 1
    assert (count("retried", results), count("failed", results)) == (number, 0)
    # Once, and not for each attempt.
    assert [line["event"] for line in logs] == ["CloudEvents are not taken; they wait"]


async def test_one_event_that_is_never_taken_holds_no_other_up(
    sink: Receiver, sender: CloudEventSink, results: Counter
) -> None:
    sink.refuses = lambda headers: 500 if headers["ce-subject"].endswith("/bad") else 200
    complete(sender, "bad")
    complete(sender, "good")
    await until_counted("delivered", 2, results)
    assert {"good-running", "good-completed"} <= set(ids(sink.taken))


@pytest.mark.parametrize("answer", [400, 413, 415, 422])
async def test_what_is_refused_for_its_content_is_given_up(
    sink: Receiver, sender: CloudEventSink, results: Counter, answer: int
) -> None:
    sink.answers = [answer]
    complete(sender)
    await until_counted("delivered", 1, results)
    assert (count("failed", results), len(sink.taken)) == (1, 2)


async def test_a_lost_answer_costs_a_double_with_the_same_id(
    sink: Receiver, sender: CloudEventSink, results: Counter
) -> None:
    sink.loses = 1
    complete(sender)
    await until_counted("delivered", 2, results)
    assert ids(sink.taken) == ["mine-running", "mine-running", "mine-completed"]


async def test_a_sink_that_hangs_holds_nobody_up(sink: Receiver, results: Counter) -> None:
    sink.is_open.clear()
    sender = CloudEventSink(sink.url, results, window=DAY)
    began_at = asyncio.get_running_loop().time()
    complete(sender)
    await sink.until(1)
    await sender.leave()
    await sender.close()
    assert asyncio.get_running_loop().time() - began_at < 2
    assert count("failed", results) == 0


async def test_what_is_older_than_the_window_is_given_up(
    sink: Receiver, sender: CloudEventSink, results: Counter
) -> None:
    sender.open(KeptJournal(now=NOW + DAY + timedelta(seconds=1)))
    complete(sender)
    await until_counted("failed", 2, results)
    assert sink.taken == []
