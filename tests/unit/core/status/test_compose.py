"""The status that tells an outcome: composed once, kept for good, and agreeing with itself."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

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
from workflowexecution.api.status import Phase, SkipReason
from workflowexecution.api.status_model import FailureDetails, WorkflowExecutionStatus
from workflowexecution.core import names
from workflowexecution.core.diagnosis.diagnose import diagnose
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.run import Run
from workflowexecution.core.status.compose import (
    PIPELINE_COMPLETE,
    PIPELINE_CREATED,
    PIPELINE_RUNNING,
    RESOURCE_LOCKED,
    parse_status,
    status_for,
    status_to_json,
)
from workflowexecution.core.status.failures import outcome_of_skip
from workflowexecution.core.status.outcome import (
    Outcome,
    outcome_of_failure,
    outcome_of_run,
    outcome_of_stopping,
    outcome_of_wait,
)
from workflowexecution.core.verdict import Skip

EMPTY = WorkflowExecutionStatus()
OF_2025 = (PIPELINE_CREATED, PIPELINE_RUNNING, PIPELINE_COMPLETE, RESOURCE_LOCKED)
RUN = names.run_name(TARGET, 1)
HOLDER = Evidence(
    name="other",
    namespace=NAMESPACE,
    workflow_id="restart",
    target=TARGET,
    run_name=RUN,
    run_namespace=RUN_NAMESPACE,
    started_at=ago(minutes=3),
    completed_at=ago(minutes=2),
    outcome=Phase.FAILED,
)


def failure(failed_at: datetime = NOW) -> FailureDetails:
    run = make_run("mine", succeeded="False", reason="Failed", completed_at=failed_at)
    diagnosis = diagnose(run, [make_task_run()])
    return details_of(diagnosis, make_execution(), started_at=ago(minutes=5), failed_at=failed_at)


def told(current: WorkflowExecutionStatus, outcome: Outcome, now: datetime = NOW) -> dict[str, Any]:
    return status_to_json(status_for(current, outcome, generation=1, now=now))


def conditions(status: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    """Each condition, without those of the earlier controller."""
    return {
        item["type"]: (item["status"], item["reason"], item["message"])
        for item in status.pop("conditions")
        if item["type"] not in OF_2025
    }


def test_a_running_execution_tells_of_its_run() -> None:
    run = make_run(
        "mine",
        message="Tasks Completed: 1 (Failed: 0, Cancelled 0), Incomplete: 1, Skipped: 0",
        tasks=["check", "restart"],
    )
    status = told(EMPTY, outcome_of_run(run, None))
    saying = f"PipelineRun {RUN_NAMESPACE}/{RUN} is running"
    assert conditions(status) == {
        "Succeeded": ("Unknown", "Running", saying),
        "PipelineRunCreated": ("True", "PipelineRunCreated", ""),
        "Reconciling": ("True", "Running", ""),
        "Stalled": ("False", "Running", ""),
    }
    assert status == {
        "observedGeneration": 1,
        "phase": "Running",
        "startTime": "2026-01-02T11:50:00Z",
        "pipelineRunRef": {"name": RUN, "namespace": RUN_NAMESPACE},
        "pipelineRunStatus": {
            "status": "Unknown",
            "reason": "Running",
            "message": run.message,
            "completedTasks": 1,
            "totalTasks": 2,
        },
    }


def test_a_completed_execution_tells_how_long_it_took() -> None:
    run = finished_run("mine", message="all done")
    status = told(EMPTY, outcome_of_run(run, None))
    assert conditions(status) == {
        "Succeeded": ("True", "Completed", "all done"),
        "PipelineRunCreated": ("True", "PipelineRunCreated", ""),
        "Reconciling": ("False", "Completed", ""),
        "Stalled": ("False", "Completed", ""),
    }
    assert status == {
        "observedGeneration": 1,
        "phase": "Completed",
        "startTime": "2026-01-02T11:40:00Z",
        "completionTime": "2026-01-02T11:50:00Z",
        "duration": "10m0s",
        "pipelineRunRef": {"name": RUN, "namespace": RUN_NAMESPACE},
        "pipelineRunStatus": {"status": "True", "reason": "Succeeded", "message": "all done"},
    }


@pytest.mark.parametrize("skipped", [0, 2])
def test_a_good_end_without_work_says_so(skipped: int) -> None:
    message = f"Tasks Completed: 0 (Failed: 0, Cancelled 0), Skipped: {skipped}"
    told_of = outcome_of_run(finished_run("mine", message=message), None)
    assert told_of.phase is Phase.COMPLETED
    assert told_of.message == f"no task has run, so nothing was done: {message}"


@pytest.mark.parametrize("count", ["1", "10"])
def test_a_good_end_with_work_is_told_in_tektons_words(count: str) -> None:
    message = f"Tasks Completed: {count} (Failed: 0, Cancelled 0), Skipped: 0"
    assert outcome_of_run(finished_run("mine", message=message), None).message == message


def test_a_failed_execution_tells_its_failure() -> None:
    run = make_run("mine", succeeded="False", reason="Failed", completed_at=NOW)
    details = failure()
    status = told(EMPTY, outcome_of_run(run, details))
    assert conditions(status) == {
        "Succeeded": ("False", "Unknown", details.natural_language_summary),
        "PipelineRunCreated": ("True", "PipelineRunCreated", ""),
        "Reconciling": ("False", "Unknown", ""),
        "Stalled": ("True", "Unknown", ""),
    }
    assert (status["phase"], status["failureReason"], status["duration"]) == (
        "Failed",
        "Unknown",
        "10m0s",
    )
    assert status["failureDetails"] == details.model_dump(
        mode="json", by_alias=True, exclude_none=True
    )


def test_a_refused_execution_has_neither_run_nor_duration() -> None:
    status = told(EMPTY, outcome_of_failure(failure()))
    assert conditions(status)["PipelineRunCreated"][0] == "False"
    assert sorted(status) == [
        "completionTime",
        "failureDetails",
        "failureReason",
        "observedGeneration",
        "phase",
    ]


def test_an_execution_that_lost_its_run_still_names_it() -> None:
    running = status_for(EMPTY, outcome_of_run(make_run("mine"), None), generation=1, now=NOW)
    status = told(running, outcome_of_failure(failure()))
    assert conditions(status)["PipelineRunCreated"][0] == "True"
    assert status["pipelineRunRef"] == {"name": RUN, "namespace": RUN_NAMESPACE}
    assert status["duration"] == "10m0s"


def test_a_waiting_execution_says_for_what() -> None:
    status = told(EMPTY, outcome_of_wait(Phase.PENDING, "no answer"))
    assert conditions(status) == {
        "Succeeded": ("Unknown", "Waiting", "no answer"),
        "PipelineRunCreated": ("False", "Waiting", "no answer"),
        "Reconciling": ("True", "Waiting", ""),
        "Stalled": ("False", "Waiting", ""),
    }
    assert status == {"observedGeneration": 1, "phase": "Pending"}


def test_a_holder_that_is_no_executions_is_not_called_one() -> None:
    skip = Skip(SkipReason.RESOURCE_BUSY, replace(HOLDER, name=RUN, namespace=RUN_NAMESPACE))
    assert outcome_of_skip(skip, NOW).message == (
        f"target {TARGET} is being changed by PipelineRun {RUN_NAMESPACE}/{RUN}, "
        "which no WorkflowExecution is known for"
    )


def test_a_busy_target_is_told_with_its_holder() -> None:
    skip = Skip(SkipReason.RESOURCE_BUSY, HOLDER)
    status = told(EMPTY, outcome_of_skip(skip, NOW))
    message = (
        f"target {TARGET} is being changed by WorkflowExecution {NAMESPACE}/other "
        f"(workflow restart, PipelineRun {RUN})"
    )
    assert conditions(status)["Succeeded"] == ("False", "ResourceBusy", message)
    assert status == {
        "observedGeneration": 1,
        "phase": "Skipped",
        "completionTime": "2026-01-02T12:00:00Z",
        "skipDetails": {
            "reason": "ResourceBusy",
            "message": message,
            "skippedAt": "2026-01-02T12:00:00Z",
            "conflictingWorkflow": {
                "name": "other",
                "namespace": NAMESPACE,
                "workflowId": "restart",
                "startedAt": "2026-01-02T11:57:00Z",
                "targetResource": TARGET,
            },
        },
    }


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (timedelta(minutes=3), "2026-01-02T12:03:00Z"),
        (timedelta(seconds=59, microseconds=1), "2026-01-02T12:01:00Z"),
        (timedelta(microseconds=1), "2026-01-02T12:00:01Z"),
    ],
)
def test_whoever_waits_until_the_time_that_is_told_does_not_come_too_early(
    after: timedelta, expected: str
) -> None:
    skip = Skip(SkipReason.RECENTLY_REMEDIATED, HOLDER, NOW + after)
    status = told(EMPTY, outcome_of_skip(skip, NOW))
    assert status["nextAllowedExecution"] == expected
    assert "consecutiveFailures" not in status


@pytest.mark.parametrize(
    ("remaining", "expected"),
    [
        (timedelta(minutes=3), "3m0s"),
        (timedelta(seconds=59, microseconds=1), "1m0s"),
        (timedelta(microseconds=1), "1s"),
    ],
)
def test_a_cooldown_is_told_with_the_time_that_is_left(remaining: timedelta, expected: str) -> None:
    skip = Skip(SkipReason.RECENTLY_REMEDIATED, HOLDER, NOW + remaining)
    status = told(EMPTY, outcome_of_skip(skip, NOW))
    message = (
        f"workflow restart ended on target {TARGET} less than the cooldown ago "
        f"(Failed, WorkflowExecution {NAMESPACE}/other); it may run again in {expected}; to lift "
        f"that earlier, once somebody has looked: kubectl wfe clear -n {NAMESPACE} other"
    )
    assert status["skipDetails"] == {
        "reason": "RecentlyRemediated",
        "message": message,
        "skippedAt": "2026-01-02T12:00:00Z",
        "recentRemediation": {
            "name": "other",
            "namespace": NAMESPACE,
            "workflowId": "restart",
            "completedAt": "2026-01-02T11:58:00Z",
            "outcome": "Failed",
            "targetResource": TARGET,
            "cooldownRemaining": expected,
        },
    }


OUTCOMES = {
    Phase.PENDING: outcome_of_wait(Phase.PENDING, "no answer"),
    Phase.RUNNING: outcome_of_run(make_run("mine"), None),
    Phase.COMPLETED: outcome_of_run(finished_run("mine"), None),
    Phase.FAILED: outcome_of_failure(failure()),
    Phase.SKIPPED: outcome_of_skip(Skip(SkipReason.RESOURCE_BUSY, HOLDER), NOW),
}


@pytest.mark.parametrize("was", list(Phase))
@pytest.mark.parametrize("becomes", list(Phase))
def test_a_phase_that_is_terminal_absorbs_all(was: Phase, becomes: Phase) -> None:
    before = status_for(EMPTY, OUTCOMES[was], generation=1, now=ago(minutes=1))
    after = status_for(before, OUTCOMES[becomes], generation=1, now=NOW)
    assert after.phase is (was if was.is_terminal else becomes)
    assert (after == before) is (was.is_terminal or was is becomes)


@pytest.mark.parametrize("phase", list(Phase))
def test_telling_it_again_later_changes_nothing(phase: Phase) -> None:
    first = status_for(EMPTY, OUTCOMES[phase], generation=1, now=ago(minutes=1))
    assert status_for(first, OUTCOMES[phase], generation=1, now=NOW) == first
    assert parse_status(status_to_json(first)) == first


@pytest.mark.parametrize("phase", list(Phase))
def test_transition_times_move_only_where_the_status_flips(phase: Phase) -> None:
    before = status_for(EMPTY, OUTCOMES[Phase.PENDING], generation=1, now=ago(minutes=1))
    after = status_for(before, OUTCOMES[phase], generation=1, now=NOW)
    flipped = {
        old.type: new.last_transition_time == NOW
        for old, new in zip(before.conditions, after.conditions, strict=False)
    }
    assert flipped == {
        old.type: old.status != new.status
        for old, new in zip(before.conditions, after.conditions, strict=False)
    }


def test_a_run_that_ended_before_it_began_took_no_time() -> None:
    """Clocks differ: creation is the API server's time, completion Tekton's."""
    run = finished_run("mine", created_at=NOW, completed_at=ago(seconds=2))
    status = told(EMPTY, outcome_of_run(run, None))
    assert (status["startTime"], status["completionTime"], status["duration"]) == (
        "2026-01-02T12:00:00Z",
        "2026-01-02T12:00:00Z",
        "0s",
    )


@pytest.mark.parametrize("ahead", [timedelta(minutes=6), timedelta(0), timedelta(minutes=-6)])
def test_tektons_clock_changes_neither_the_end_nor_the_duration(ahead: timedelta) -> None:
    took, began = timedelta(minutes=4), ago(minutes=4)
    run = finished_run(
        "mine", created_at=began, started_at=began + ahead, completed_at=began + took + ahead
    )
    status = told(EMPTY, outcome_of_run(run, None))
    assert (status["completionTime"], status["duration"]) == ("2026-01-02T12:00:00Z", "4m0s")


def test_a_message_longer_than_conditions_may_be_is_cut() -> None:
    run = finished_run("mine", message="x" * 40_000)
    assert len(conditions(told(EMPTY, outcome_of_run(run, None)))["Succeeded"][2]) == 32_768


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({}, EMPTY),
        ({"phase": "Running"}, WorkflowExecutionStatus(phase=Phase.RUNNING)),
        ({"phase": "Dreaming", "startTime": "long ago"}, EMPTY),
        ({"phase": "Pending", "conditions": [{"type": ""}]}, parse_status({"phase": "Pending"})),
        ({"duration": "-5s", "skipDetails": {"reason": "Bored"}}, EMPTY),
        ({"phase": "Failed", "unknown": 1}, WorkflowExecutionStatus(phase=Phase.FAILED)),
    ],
)
def test_what_others_wrote_in_a_form_of_their_own_reads_as_absent(
    raw: dict[str, Any], expected: WorkflowExecutionStatus
) -> None:
    assert parse_status(raw) == expected


@pytest.mark.parametrize(
    ("run", "ended"),
    [
        (finished_run("mine"), "ended (Succeeded)"),
        (make_run("mine", succeeded="False", reason="Failed", completed_at=NOW), "ended (Failed)"),
        (make_run("mine", deleted_at=NOW), "was deleted"),
    ],
)
def test_what_is_waited_for_is_told_whatever_the_outcome(run: Run, ended: str) -> None:
    told = outcome_of_stopping(run, "the target is held until pod x has stopped")
    assert (told.phase, told.reason) == (Phase.RUNNING, "Stopping")
    said = f"PipelineRun {run.namespace}/{run.name} {ended}; "
    assert told.message == f"{said}the target is held until pod x has stopped"
