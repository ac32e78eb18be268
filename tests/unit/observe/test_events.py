"""Events: which change of status calls for which, and whether the API server takes them."""

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
from workflowexecution.api.status import FailureReason, Phase, SkipReason
from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.core import names
from workflowexecution.core.diagnosis.diagnose import Diagnosis
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.step import Step
from workflowexecution.core.status.compose import status_for
from workflowexecution.core.status.failures import outcome_of_skip
from workflowexecution.core.status.outcome import (
    outcome_of_failure,
    outcome_of_run,
    outcome_of_wait,
)
from workflowexecution.core.verdict import Skip
from workflowexecution.observe.events import build_event, events_for

RUN = names.run_name(TARGET, 1)
EMPTY = WorkflowExecutionStatus()
HOLDER = Evidence(
    name="other",
    namespace=NAMESPACE,
    workflow_id="restart",
    target=TARGET,
    run_name=RUN,
    run_namespace=RUN_NAMESPACE,
    started_at=NOW,
)
STATUSES = {
    None: EMPTY,
    Phase.PENDING: status_for(EMPTY, outcome_of_wait(Phase.PENDING, "x"), generation=1, now=NOW),
    Phase.RUNNING: status_for(EMPTY, outcome_of_run(make_run("mine"), None), generation=1, now=NOW),
    Phase.COMPLETED: status_for(
        EMPTY, outcome_of_run(finished_run("mine", message="done"), None), generation=1, now=NOW
    ),
    Phase.SKIPPED: status_for(
        EMPTY,
        outcome_of_skip(Skip(SkipReason.RESOURCE_BUSY, HOLDER), NOW),
        generation=1,
        now=NOW,
    ),
}


def told(before: Phase | None, after: Phase | None) -> list[dict[str, Any]]:
    return events_for(make_execution(), STATUSES[before], STATUSES[after], now=NOW)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, None, []),
        (None, Phase.PENDING, []),
        (None, Phase.RUNNING, [("Normal", "PipelineRunCreated")]),
        (Phase.PENDING, Phase.RUNNING, [("Normal", "PipelineRunCreated")]),
        (Phase.RUNNING, Phase.RUNNING, []),
        (Phase.RUNNING, Phase.COMPLETED, [("Normal", "WorkflowCompleted")]),
        (
            None,
            Phase.COMPLETED,
            [("Normal", "PipelineRunCreated"), ("Normal", "WorkflowCompleted")],
        ),
        (None, Phase.SKIPPED, [("Normal", "Skipped")]),
        (Phase.SKIPPED, Phase.SKIPPED, []),
    ],
)
def test_what_is_notable_is_told_once(
    before: Phase | None, after: Phase | None, expected: list[tuple[str, str]]
) -> None:
    assert [(event["type"], event["reason"]) for event in told(before, after)] == expected


def test_the_whole_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTNAME", "pod-1")
    assert told(Phase.RUNNING, Phase.COMPLETED) == [
        {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {
                "name": names.event_name("mine", "uid-of-mine", "WorkflowCompleted"),
                "namespace": NAMESPACE,
            },
            "eventTime": "2026-01-02T12:00:00.000000Z",
            "type": "Normal",
            "reason": "WorkflowCompleted",
            "action": "Run",
            "note": "done",
            "reportingController": "workflowexecution-operator",
            "reportingInstance": "pod-1",
            "regarding": {
                "apiVersion": "workflowexecution.kubernaut.ai/v1alpha1",
                "kind": "WorkflowExecution",
                "namespace": NAMESPACE,
                "name": "mine",
                "uid": "uid-of-mine",
            },
            "related": {
                "apiVersion": "tekton.dev/v1",
                "kind": "PipelineRun",
                "namespace": RUN_NAMESPACE,
                "name": RUN,
            },
        }
    ]


def failed(**diagnosis: Any) -> list[str]:
    """Notes of the Events about a failure of this kind."""
    found = Diagnosis(reason=FailureReason.TASK_FAILED, message="it said s3cret", **diagnosis)
    details = details_of(found, make_execution(), started_at=ago(seconds=9), failed_at=NOW)
    after = status_for(EMPTY, outcome_of_failure(details), generation=1, now=NOW)
    assert "s3cret" in after.conditions[0].message
    return [event["note"] for event in events_for(make_execution(), EMPTY, after, now=NOW)]


def test_a_failure_is_told_in_words_of_our_own() -> None:
    task = make_task_run("repair")
    step = Step("apply", "step-apply", True, 7, "Error", "Error")
    assert failed(task=task, step=step, exit_code=7, has_started=True) == [
        f"Workflow restart on {TARGET} failed after 9s: TaskFailed, task 'repair', step 'apply', "
        "exit code 7. The step did not do its work, or not all of it. Steps had started, so "
        f"{TARGET} may have been changed. Its status tells more."
    ]


def test_where_it_is_not_known_whether_a_step_had_begun_the_event_says_so() -> None:
    (note,) = failed(has_started=None)
    assert f" It is not known whether a step had begun, so {TARGET} may have been changed" in note


def test_a_failure_of_no_task_is_told() -> None:
    assert failed() == [
        f"Workflow restart on {TARGET} failed after 9s: TaskFailed. The step did not do its work, "
        "or not all of it. No step had started, so nothing was changed. "
        "Its status tells more."
    ]


@pytest.mark.parametrize("letter", ["x", "é", "日", "🚀"])
@pytest.mark.parametrize("count", [1, 255, 340, 1000, 1024, 5000])
def test_a_note_is_no_longer_than_the_api_server_takes(letter: str, count: int) -> None:
    """It counts bytes, of which a letter may have four."""
    note = build_event(make_execution(), "Skipped", letter * count, NOW)["note"]
    assert len(note.encode()) <= 1024
    assert note.rstrip("…") == letter * len(note.rstrip("…"))
    assert note.endswith("…") is (len((letter * count).encode()) > 1000)
