"""The report on a run has its outcome and the time of the next look."""

from copy import deepcopy
from typing import Any, cast

import pytest

from builders import NOW, raw_execution, raw_run, raw_task_run, run_status, step
from reconcile_desk import Desk
from workflowexecution.api.reading import format_time
from workflowexecution.client.cluster import Cluster
from workflowexecution.controller.context import DECIDE_AGAIN, Result
from workflowexecution.controller.run_status import RunStatusReporter, SilentRuns
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import LABEL_PIPELINE_RUN, Run
from workflowexecution.kube import errors

ELSEWHERE = "another-namespace"
RUNNING = {"status": {"phase": "Running"}}


@pytest.fixture
def reporter(desk: Desk) -> RunStatusReporter:
    silent_runs = SilentRuns(cast(Cluster, desk.cluster))
    return RunStatusReporter(desk.controller.context, desk.reader(), silent_runs)


def mine(desk: Desk, **given: Any) -> Execution:
    return desk.has_execution(raw_execution(**given))


def run_of(desk: Desk, succeeded: str = "Unknown", **given: Any) -> Run:
    raw = raw_run("mine", status=run_status(succeeded), created_at=NOW)
    return desk.has_run({**raw, "metadata": {**raw["metadata"], **given}})


def told(result: Result) -> tuple[str, str]:
    assert result.outcome is not None
    return result.outcome.phase, result.outcome.reason


async def test_a_run_under_way_is_running(desk: Desk, reporter: RunStatusReporter) -> None:
    result = await reporter.report(mine(desk), run_of(desk))
    assert told(result) == ("Running", "Running")
    assert result.requeue_after is not None
    assert desk.asked() == []


async def test_progress_is_reported_at_a_bounded_rate(
    desk: Desk, reporter: RunStatusReporter
) -> None:
    execution, run = mine(desk, **RUNNING), run_of(desk)
    assert told(await reporter.report(execution, run)) == ("Running", "Running")
    interval = desk.policy.progress_interval.total_seconds()
    assert await reporter.report(execution, run) == Result(requeue_after=interval)
    desk.clock.advance(interval)
    assert told(await reporter.report(execution, run)) == ("Running", "Running")


async def test_how_far_its_end_is_comes_first(desk: Desk, reporter: RunStatusReporter) -> None:
    run = run_of(desk)
    desk.memory.run(run.key).ending = "it is being cancelled"
    result = await reporter.report(mine(desk), run)
    assert told(result) == ("Running", "Stopping")
    assert result.outcome is not None
    assert result.outcome.message == "it is being cancelled"


async def test_one_that_stops_is_reported_once_it_is_known_what_keeps_it(
    desk: Desk, reporter: RunStatusReporter
) -> None:
    execution, run = mine(desk), run_of(desk, "False")
    assert await reporter.report(execution, run) == Result()
    desk.memory.run(run.key).why_held = "the target is held until pod a/b has stopped"
    assert told(await reporter.report(execution, run)) == ("Running", "Stopping")


async def test_one_that_succeeded_is_completed_without_a_request(
    desk: Desk, reporter: RunStatusReporter
) -> None:
    execution, run = mine(desk), run_of(desk, "True")
    stopped = desk.store.mark_stopped(run.key, run.uid, now=NOW)
    assert told(await reporter.report(execution, stopped or run)) == ("Completed", "Completed")
    assert desk.asked() == []


async def test_one_that_failed_is_looked_at_for_the_cause(
    desk: Desk, reporter: RunStatusReporter
) -> None:
    execution, run = mine(desk), run_of(desk, "False")
    stopped = desk.store.mark_stopped(run.key, run.uid, now=NOW)
    assert stopped is not None
    phase, _ = told(await reporter.report(execution, stopped))
    assert phase == "Failed"
    assert {"list task runs", "list pods"} <= set(desk.asked())


@pytest.mark.parametrize("is_answered", [True, False])
async def test_one_whose_pod_is_gone_is_explained_by_the_events_of_the_pod(
    desk: Desk, reporter: RunStatusReporter, is_answered: bool
) -> None:
    execution, run = mine(desk), run_of(desk, "False")
    ended = step("work", terminated={"exitCode": 9, "finishedAt": format_time(NOW)})
    task = raw_task_run("work", reason="Failed", steps=[ended])
    task["metadata"]["labels"][LABEL_PIPELINE_RUN] = run.name
    later = deepcopy(task)
    later["metadata"]["name"] = "run-later"
    later["status"]["podName"] = "run-later-pod"
    later["status"]["completionTime"] = format_time(NOW)
    desk.cluster.task_runs = [task, later]
    taint = {"reason": "TaintManagerEviction", "message": "Marking for deletion Pod a/b"}
    desk.cluster.pod_events = [{**taint, "lastTimestamp": format_time(NOW)}]
    if not is_answered:
        desk.cluster.refuses["list pod events"] = errors.ApiError("not now", status=503)
    stopped = desk.store.mark_stopped(run.key, run.uid, now=NOW)
    result = await reporter.report(execution, stopped or run)
    assert result.outcome is not None
    assert result.outcome.failure is not None
    asked = desk.asked()
    assert asked[-1] == "list pod events"
    assert asked.count("list pod events") == 1
    is_told = "Kubernetes ended its pod: TaintManagerEviction: " in result.outcome.failure.message
    assert is_told is is_answered


async def test_one_that_no_watch_tells_of_is_read_and_polled(
    desk: Desk, reporter: RunStatusReporter
) -> None:
    execution, run = mine(desk), run_of(desk, namespace=ELSEWHERE)
    assert await reporter.report(execution, run) is DECIDE_AGAIN
    assert desk.asked() == ["get run"]
    result = await reporter.report(execution, run)
    assert told(result) == ("Running", "Running")
    assert result.requeue_after is not None
    assert result.requeue_after <= desk.policy.progress_interval.total_seconds()
