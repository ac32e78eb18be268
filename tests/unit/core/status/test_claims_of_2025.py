"""The conditions that dashboards for the controller of December 2025 know."""

from dataclasses import replace

import pytest

from builders import NOW, ago, finished_run, make_run
from go_types.statuses import recent_skip, refusal, skip
from workflowexecution.api.status import FailureReason, Phase, SkipReason
from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.core.status.compose import (
    PIPELINE_COMPLETE,
    PIPELINE_CREATED,
    PIPELINE_RUNNING,
    RESOURCE_LOCKED,
    status_for,
)
from workflowexecution.core.status.failures import outcome_of_skip
from workflowexecution.core.status.outcome import (
    Outcome,
    outcome_of_failure,
    outcome_of_run,
    outcome_of_wait,
)

EMPTY = WorkflowExecutionStatus()
OF_2025 = (PIPELINE_CREATED, PIPELINE_RUNNING, PIPELINE_COMPLETE, RESOURCE_LOCKED)
CREATED = ("TektonPipelineCreated", "True", "PipelineCreated")
RUNNING = ("TektonPipelineRunning", "True", "PipelineStarted")
LAUNCHED = outcome_of_run(make_run("mine"), None)
BEGUN = outcome_of_run(make_run("mine", started_at=ago(minutes=5)), None)


def told(*outcomes: Outcome) -> list[tuple[str, str, str]]:
    """Those conditions after all these outcomes, one after another; in their order."""
    status = EMPTY
    for outcome in outcomes:
        status = status_for(status, outcome, generation=1, now=NOW)
    found = {item.type: (item.type, item.status, item.reason) for item in status.conditions}
    return [found[kind] for kind in OF_2025 if kind in found]


def failed(reason: FailureReason, had_started: bool = True) -> Outcome:
    """The failure of a run."""
    ended = make_run("mine", succeeded="False", started_at=ago(minutes=5), completed_at=NOW)
    return outcome_of_run(ended, refusal(reason, had_started))


def test_a_success_is_created_running_and_complete() -> None:
    done = finished_run("mine", started_at=ago(minutes=19))
    assert told(LAUNCHED) == [CREATED]
    assert told(LAUNCHED, BEGUN) == [CREATED, RUNNING]
    complete = ("TektonPipelineComplete", "True", "PipelineSucceeded")
    assert told(LAUNCHED, BEGUN, outcome_of_run(done, None)) == [CREATED, RUNNING, complete]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (FailureReason.TASK_FAILED, "TaskFailed"),
        (FailureReason.DEADLINE_EXCEEDED, "DeadlineExceeded"),
        (FailureReason.OOM_KILLED, "OOMKilled"),
        (FailureReason.FORBIDDEN, "PipelineFailed"),
        (FailureReason.UNKNOWN, "PipelineFailed"),
    ],
)
def test_a_failed_run_is_not_complete(reason: FailureReason, expected: str) -> None:
    complete = ("TektonPipelineComplete", "False", expected)
    assert told(LAUNCHED, failed(reason)) == [CREATED, RUNNING, complete]
    # A run that is gone, or was given up.
    assert told(BEGUN, outcome_of_failure(refusal(reason))) == [CREATED, RUNNING, complete]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (FailureReason.RESOURCE_EXHAUSTED, "QuotaExceeded"),
        (FailureReason.FORBIDDEN, "RBACDenied"),
        (FailureReason.CONFIGURATION_ERROR, "PipelineCreationFailed"),
    ],
)
def test_a_refused_execution_has_no_pipeline(reason: FailureReason, expected: str) -> None:
    not_created = ("TektonPipelineCreated", "False", expected)
    assert told(outcome_of_failure(refusal(reason))) == [not_created]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (SkipReason.RESOURCE_BUSY, "TargetResourceBusy"),
        (SkipReason.RECENTLY_REMEDIATED, "RecentlyRemediated"),
        (SkipReason.PREVIOUS_EXECUTION_FAILED, "PreviousExecutionFailed"),
        (SkipReason.EXHAUSTED_RETRIES, "ExhaustedRetries"),
    ],
)
def test_a_skip_is_a_lock(reason: SkipReason, expected: str) -> None:
    past = replace(recent_skip(Phase.FAILED), reason=reason)
    verdict = skip(reason, started_at=ago(minutes=1)) if "Busy" in reason else past
    assert told(outcome_of_skip(verdict, NOW)) == [("ResourceLocked", "True", expected)]


def test_one_that_waits_says_nothing_of_them() -> None:
    assert told(outcome_of_wait(Phase.PENDING, "no answer")) == []


def test_they_repeat_no_message() -> None:
    status = status_for(EMPTY, failed(FailureReason.TASK_FAILED), generation=1, now=NOW)
    assert {item.message for item in status.conditions if item.type.startswith("Tekton")} == {""}
