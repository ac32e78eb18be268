"""The recorder counts each change and sends it to all followers; one that fails harms no other."""

import asyncio
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from builders import NOW, ago, finished_run, make_execution, make_run
from clocks import FixedClock
from go_types.statuses import skip
from workflowexecution.api.status import Phase, SkipReason
from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.cache.memory import StatusChange
from workflowexecution.client.cluster import Cluster
from workflowexecution.controller.recorder import EventSink, Recorder
from workflowexecution.core.status.compose import status_for
from workflowexecution.core.status.failures import outcome_of_skip
from workflowexecution.core.status.outcome import outcome_of_run
from workflowexecution.kube.errors import UnavailableError
from workflowexecution.observe.metrics import Metrics

EMPTY = WorkflowExecutionStatus()
EXECUTION = make_execution("mine")
ENDED = status_for(
    EMPTY,
    outcome_of_run(
        finished_run("mine", created_at=ago(minutes=5), completed_at=ago(seconds=4)), None
    ),
    generation=1,
    now=NOW,
)


class NoEvents:
    async def create_event(self, event: Any) -> None: ...


class SlowServer:
    """Records an Event once it is let, by its reason; refuses those with a reason in `refused`."""

    def __init__(self, *refused: str) -> None:
        self.may_answer = asyncio.Event()
        self.recorded: list[str] = []
        self.at_once = self.most_at_once = 0
        self._refused = refused

    async def create_event(self, event: Any) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.may_answer.wait()
        self.at_once -= 1
        if event["reason"] in self._refused:
            raise UnavailableError("busy", retry_after=60)
        self.recorded.append(event["reason"])


class Kept:
    """Keeps what it is told of."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def launched(self, *_: object, seconds: float, **__: object) -> None:
        self.told.append(f"launched in {seconds} s")

    def phase_changed(
        self, _: object, before: WorkflowExecutionStatus, after: WorkflowExecutionStatus, **__: Any
    ) -> None:
        self.told.append(f"{before.phase} to {after.phase}")

    def open(self, _: object) -> None:
        self.told.append("open")

    async def leave(self) -> None:
        self.told.append("leave")

    async def close(self) -> None: ...


class Broken(Kept):
    def launched(self, *_: object, **__: object) -> None:
        raise RuntimeError("no room")

    def phase_changed(self, *_: object, **__: object) -> None:
        raise RuntimeError("no room")

    async def leave(self) -> None:
        raise RuntimeError("no room")


def make_announcer(*event_sinks: Kept) -> tuple[Recorder, Metrics]:
    metrics = Metrics()
    all_of_them = cast("tuple[EventSink, ...]", event_sinks)
    cluster = cast(Cluster, NoEvents())
    return Recorder(cluster, metrics, FixedClock(NOW), all_of_them), metrics


def record(server: SlowServer, *reasons: str) -> Recorder:
    recorder = Recorder(cast(Cluster, server), Metrics(), FixedClock(NOW))
    for reason in reasons:
        recorder.about_run(make_run("mine"), reason, "note")
    return recorder


def value(metrics: Metrics, name: str, **labels: str) -> float:
    found = metrics.registry.get_sample_value(f"workflowexecution_{name}", labels)
    assert found is not None
    return found


async def test_how_late_a_status_is_counts_from_the_runs_end() -> None:
    recorder, metrics = make_announcer()
    recorder.announce(StatusChange(EXECUTION, EMPTY, ENDED))
    await recorder.close(grace=1)
    assert value(metrics, "end_to_status_seconds_sum") == 4
    assert value(metrics, "end_to_status_seconds_count") == 1
    assert value(metrics, "duration_seconds_sum", outcome="Completed") == 296


async def test_how_long_a_launch_took_counts_from_when_it_was_due_and_from_the_decision() -> None:
    recorder, metrics = make_announcer()
    times = {"due_at": ago(hours=1), "decided_at": ago(milliseconds=30), "now": NOW}
    recorder.run_created(EXECUTION, make_run("mine"), **times)
    assert value(metrics, "pipelinerun_creation_total") == 1
    assert value(metrics, "creation_to_launch_seconds_sum") == 3600
    assert value(metrics, "decision_to_launch_seconds_sum") == 0.03


async def test_a_follower_that_fails_is_logged_and_the_others_are_told() -> None:
    kept = Kept()
    recorder, metrics = make_announcer(Broken(), kept)
    with capture_logs() as logs:
        times = {"due_at": NOW, "decided_at": ago(milliseconds=500), "now": NOW}
        recorder.run_created(EXECUTION, make_run("mine"), **times)
        recorder.announce(StatusChange(EXECUTION, EMPTY, ENDED))
        await recorder.close(grace=1)
    assert kept.told == ["launched in 0.5 s", "None to Completed", "leave"]
    assert [line["event"] for line in logs].count("a sink failed") == 3
    assert value(metrics, "total", outcome="Completed") == 1


@pytest.mark.parametrize(
    ("reason", "times"),
    [
        (SkipReason.RESOURCE_BUSY, 0),
        (SkipReason.PREVIOUS_EXECUTION_FAILED, 1),
        (SkipReason.EXHAUSTED_RETRIES, 1),
    ],
)
async def test_a_skip_that_a_person_has_to_lift_is_counted_apart(
    reason: SkipReason, times: int
) -> None:
    recorder, metrics = make_announcer()
    verdict = skip(reason, completed_at=ago(minutes=3), outcome=Phase.FAILED)
    skipped = outcome_of_skip(verdict, NOW)
    after = status_for(EMPTY, skipped, generation=1, now=NOW)
    recorder.announce(StatusChange(EXECUTION, EMPTY, after))
    await recorder.close(grace=1)
    assert value(metrics, "skip_total", reason=reason) == 1
    counted = {
        one: value(metrics, "backoff_skip_total", reason=one)
        for one in (SkipReason.EXHAUSTED_RETRIES, SkipReason.PREVIOUS_EXECUTION_FAILED)
    }
    assert sum(counted.values()) == times
    assert counted.get(reason, 0) == times
    other = {"reason": str(SkipReason.RESOURCE_BUSY)}
    name = "workflowexecution_backoff_skip_total"
    assert metrics.registry.get_sample_value(name, other) is None


async def test_what_is_no_new_phase_is_not_told() -> None:
    kept = Kept()
    recorder, _ = make_announcer(kept)
    recorder.announce(StatusChange(EXECUTION, ENDED, ENDED))
    assert kept.told == []
    await recorder.close(grace=1)


async def test_in_a_rush_few_events_are_sent_at_once_and_none_is_left_out() -> None:
    server = SlowServer()
    reasons = [f"Reason{number}" for number in range(50)]
    recorder = record(server, *reasons)
    await asyncio.sleep(0)
    server.may_answer.set()
    await recorder.close(grace=5)
    assert (server.recorded, server.most_at_once) == (reasons, 4)


async def test_events_that_are_refused_keep_no_other_from_being_sent() -> None:
    refused = [f"Refused{number}" for number in range(10)]
    server = SlowServer(*refused)
    server.may_answer.set()
    recorder = record(server, *refused, "Fine")
    await recorder.close(grace=0.2)
    assert server.recorded == ["Fine"]
