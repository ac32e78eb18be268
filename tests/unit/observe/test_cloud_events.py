"""CloudEvents at a real receiver, which reads them by the SDK; and at one that does not answer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from cloudevents.core.bindings.http import HTTPMessage, from_binary_event
from cloudevents.core.v1.event import CloudEvent
from prometheus_client import Counter

from builders import (
    NAMESPACE,
    NOW,
    RUN_NAMESPACE,
    TARGET,
    ago,
    finished_run,
    make_execution,
    make_run,
    make_task_run,
)
from harness.receiver import Receiver, open_receiver
from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.core.diagnosis.diagnose import diagnose
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.pipelinerun import trace_of
from workflowexecution.core.status.compose import status_for
from workflowexecution.core.status.outcome import outcome_of_progress, outcome_of_run
from workflowexecution.kube import retry
from workflowexecution.observe import cloud_events
from workflowexecution.observe.cloud_events import CloudEventSink, build_event
from workflowexecution.observe.metrics import Metrics

BEFORE = WorkflowExecutionStatus()


@pytest.fixture
def results() -> Counter:
    return Metrics().cloud_events


@pytest_asyncio.fixture
async def sink() -> AsyncIterator[Receiver]:
    async with open_receiver("/events") as receiver:
        yield receiver


@pytest_asyncio.fixture
async def sender(sink: Receiver, results: Counter) -> AsyncIterator[CloudEventSink]:
    one = CloudEventSink(sink.url, results, with_trace=True)
    yield one
    await one.close()


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_OF_AN_OPTIONAL_STEP", lambda _: 0.01)


def running() -> WorkflowExecutionStatus:
    run = make_run("mine", created_at=ago(minutes=1))
    return status_for(BEFORE, outcome_of_progress(run), generation=1, now=NOW)


def ended() -> WorkflowExecutionStatus:
    run = finished_run("mine", message="all well", created_at=ago(minutes=1), completed_at=NOW)
    return status_for(running(), outcome_of_run(run, None), generation=1, now=NOW)


def told(result: str, results: Counter) -> float:
    return float(results.labels(result=result)._value.get())


async def until_told(result: str, number: int, results: Counter) -> None:
    async with asyncio.timeout(10):
        while told(result, results) < number:  # noqa: ASYNC110 (a counter tells nobody)
            await asyncio.sleep(0.01)


def read(request: tuple[dict[str, str], bytes]) -> CloudEvent:
    """The event as a consumer reads it by the SDK, which refuses anything that is no CloudEvent."""
    event = from_binary_event(HTTPMessage(*request))
    assert isinstance(event, CloudEvent)
    return event


def attributes_of(event: CloudEvent) -> dict[str, Any]:
    return dict(event.get_attributes())


async def test_each_phase_is_an_event_in_order(
    sink: Receiver, sender: CloudEventSink, results: Counter
) -> None:
    execution = make_execution("mine")
    sender.phase_changed(execution, BEFORE, running(), now=NOW)
    sender.phase_changed(execution, running(), ended(), now=NOW + timedelta(seconds=3))
    await sink.until(2)

    first, last = (read(request) for request in sink.taken)

    source = "/apis/workflowexecution.kubernaut.ai/v1alpha1/namespaces"
    assert first.get_type() == "ai.kubernaut.workflowexecution.running.v1"
    shared = {
        "specversion": "1.0",
        "source": f"{source}/{NAMESPACE}/workflowexecutions/mine",
        "subject": f"{NAMESPACE}/mine",
        "datacontenttype": "application/json",
        "traceparent": trace_of(execution).traceparent,
    }
    assert attributes_of(last).items() >= shared.items()
    assert last.get_type() == "ai.kubernaut.workflowexecution.completed.v1"
    assert last.get_id() == "uid-of-mine-completed"
    assert last.get_time() == NOW + timedelta(seconds=3)
    await until_told("delivered", 2, results)


async def test_the_data_says_what_became_of_it(sink: Receiver, sender: CloudEventSink) -> None:
    execution = make_execution("mine")
    sender.phase_changed(execution, running(), ended(), now=NOW)
    await sink.until(1)

    data = read(sink.taken[0]).get_data()

    assert isinstance(data, dict)
    assert data["workflowExecution"] == {
        "apiVersion": "workflowexecution.kubernaut.ai/v1alpha1",
        "kind": "WorkflowExecution",
        "namespace": NAMESPACE,
        "name": "mine",
        "uid": "uid-of-mine",
    }
    assert (data["phase"], data["previousPhase"]) == ("Completed", "Running")
    assert (data["reason"], data["duration"]) == ("Completed", "1m0s")
    assert (data["workflowId"], data["targetResource"]) == ("restart", TARGET)
    assert data["pipelineRun"]["namespace"] == RUN_NAMESPACE
    assert set(data) >= {"startTime", "completionTime", "message", "remediationRequest"}


async def test_an_answer_that_passes_is_tried_again(
    sink: Receiver, sender: CloudEventSink, results: Counter
) -> None:
    sink.answers = [503, 429]
    sender.phase_changed(make_execution(), BEFORE, running(), now=NOW)
    await until_told("delivered", 1, results)
    assert len(sink.taken) == 3
    assert len({body for _, body in sink.taken}) == 1


@pytest.mark.parametrize("answers", [[400], [302], [500] * 4], ids=["refused", "moved", "down"])
async def test_what_is_not_taken_is_given_up_and_the_next_one_sent(
    sink: Receiver, sender: CloudEventSink, results: Counter, answers: list[int]
) -> None:
    sink.answers = list(answers)
    for _ in range(2):
        sender.phase_changed(make_execution(), BEFORE, running(), now=NOW)
    await until_told("delivered", 1, results)
    assert told("failed", results) == 1
    assert len(sink.taken) == len(answers) + 1


async def test_a_sink_that_hangs_holds_nobody_up_and_costs_what_does_not_fit(
    monkeypatch: pytest.MonkeyPatch, sink: Receiver, results: Counter
) -> None:
    monkeypatch.setattr(cloud_events, "QUEUE_LIMIT", 3)
    monkeypatch.setattr(cloud_events, "_CLOSE_S", 0.05)
    sink.is_open.clear()
    sender, execution = CloudEventSink(sink.url, results), make_execution()
    began_at = asyncio.get_running_loop().time()
    sender.phase_changed(execution, BEFORE, running(), now=NOW)
    await sink.until(1)
    for _ in range(5):
        sender.phase_changed(execution, BEFORE, running(), now=NOW)
    assert told("dropped", results) == 2
    await sender.close()
    assert told("dropped", results) == 6
    assert asyncio.get_running_loop().time() - began_at < 2


def test_what_is_told_of_a_failure_quotes_no_parameter() -> None:
    execution = make_execution("mine")
    run = make_run("mine", succeeded="False", reason="Failed", completed_at=NOW)
    said = diagnose(run, [make_task_run(message="it said hunter2")])
    failure = details_of(said, execution, started_at=ago(minutes=5), failed_at=NOW)
    after = status_for(running(), outcome_of_run(run, failure), generation=1, now=NOW)
    assert "hunter2" in failure.message

    event = build_event(execution, running(), after, NOW)

    assert event.get_type() == "ai.kubernaut.workflowexecution.failed.v1"
    data = event.get_data()
    assert isinstance(data, dict)
    assert data["reason"] == failure.reason
    assert "hunter2" not in str(data)
    assert event.get_extension("traceparent") is None
