"""A run that a person cancelled: who and why, and what had failed before that."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from builders import NOW, ago, make_execution, make_run, raw_run, raw_task_run, run_status, step
from workflowexecution.api import identity
from workflowexecution.api.reading import format_time
from workflowexecution.api.status import FailureReason
from workflowexecution.api.status_model import FailureDetails
from workflowexecution.core.diagnosis.diagnose import Diagnosis, diagnose, with_canceller
from workflowexecution.core.diagnosis.explanations import CAUSES, FAILURES, Cause
from workflowexecution.core.diagnosis.summary import details_of, note_of
from workflowexecution.core.facts.decoding import parse_run
from workflowexecution.core.facts.run import Asked, Run
from workflowexecution.core.facts.taskrun import parse_task_run
from workflowexecution.core.status.failures import outcome_of_lost_run
from workflowexecution.core.status.outcome import describe_ending, outcome_of_stopping

RECORDED = Path(__file__).parents[3] / "recorded" / "cancelled-by-somebody.json"
EXECUTION = make_execution()
NOTES = {
    identity.CANCELLED_BY: "jane",
    identity.CANCELLED_AT: format_time(ago(minutes=2)),
    identity.CANCEL_REASON: "wrong target",
}
AUDIT_LOG = FAILURES[FailureReason.UNKNOWN].to_do


def run_with(notes: dict[str, str], asked: str = "Cancelled", **status: Any) -> Run:
    raw = raw_run("mine", spec={"status": asked}, status=run_status(**status))
    raw["metadata"]["annotations"] |= notes
    run = parse_run(raw)
    assert run is not None
    return run


CANCELLED: dict[str, Any] = {"succeeded": "False", "reason": "Cancelled", "message": "it was"}


def told_of(run: Run, *tasks: dict[str, Any]) -> FailureDetails:
    found = with_canceller(run, diagnose(run, [parse_task_run(raw) for raw in tasks]))
    return details_of(found, EXECUTION, started_at=ago(minutes=1), failed_at=NOW)


def test_what_tekton_wrote_of_a_cancelled_run_is_told_by_the_person() -> None:
    raw = json.loads(RECORDED.read_text())
    ended_at = raw["pipelineRun"]["status"]["completionTime"]
    raw["pipelineRun"]["metadata"]["annotations"] |= {**NOTES, identity.CANCELLED_AT: ended_at}
    run = parse_run(raw["pipelineRun"])
    assert run is not None
    told = told_of(run, *raw["taskRuns"])
    said = "cancelled by jane: wrong target; task 'wait', step 'sleep' was cut off"
    assert told.reason is FailureReason.UNKNOWN
    assert told.message.startswith(f"{said}; see: kubectl describe taskrun ")
    assert f"failed after 1m0s: {said}. {CAUSES[Cause.CANCELLED].means}" in (
        told.natural_language_summary
    )
    assert AUDIT_LOG not in told.natural_language_summary
    note = note_of(told, EXECUTION)
    assert f"failed after 1m0s: {said}. {CAUSES[Cause.CANCELLED].means}" in note
    assert "Unknown" not in note


@pytest.mark.parametrize(
    "run",
    [
        run_with({}, **CANCELLED),
        run_with(NOTES, asked="StoppedRunFinally", **CANCELLED),
        run_with({**NOTES, identity.CANCELLED_BY: " "}, **CANCELLED),
        run_with({**NOTES, identity.CANCELLED_AT: "yesterday"}, **CANCELLED),
        run_with({**NOTES, identity.CANCELLED_AT: "2026-13-45T00:00:00Z"}, **CANCELLED),
        run_with({**NOTES, identity.CANCELLED_AT: format_time(ago(minutes=11))}, **CANCELLED),
    ],
    ids=["without-notes", "stopped-in-another-way", "nobody", "no-time", "odd-time", "of-another"],
)
def test_one_that_was_ended_in_another_way_is_not_known(run: Run) -> None:
    told = told_of(run)
    assert "jane" not in told.message
    assert told.natural_language_summary.endswith(AUDIT_LOG)
    assert "Unknown" in note_of(told, EXECUTION)


def test_a_run_that_ended_before_it_was_cancelled_was_not_ended_by_that() -> None:
    run = run_with(NOTES, succeeded="False", reason="PipelineRunTimeout", message="it took long")
    told = told_of(run)
    assert told.reason is FailureReason.DEADLINE_EXCEEDED
    assert "jane" not in told.natural_language_summary


def test_what_had_failed_before_is_told_first() -> None:
    failed = raw_task_run("change", steps=[step("apply", 3)])
    told = told_of(run_with(NOTES, asked="CancelledRunFinally", **CANCELLED), failed)
    assert told.reason is FailureReason.TASK_FAILED
    assert "exit code 3" in told.message
    assert "; the run was cancelled by jane: wrong target" in told.message


def test_before_any_step_nothing_was_cut_off() -> None:
    told = told_of(run_with(NOTES, **CANCELLED))
    assert told.message.startswith("cancelled by jane: wrong target; see: ")
    assert "nothing was changed" in told.natural_language_summary
    assert told.was_execution_failure is False


def test_a_reason_need_not_be_given() -> None:
    told = told_of(run_with({**NOTES, identity.CANCEL_REASON: ""}, **CANCELLED))
    assert told.message.startswith("cancelled by jane, without a reason; see: ")


@pytest.mark.parametrize("key", [identity.CANCELLED_BY, identity.CANCEL_REASON])
def test_what_people_write_is_one_bounded_line_without_escapes(key: str) -> None:
    evil = "\x1b[2J a\nError: b\u202e\t c" + "x" * 100_000
    run = run_with({**NOTES, key: evil}, **CANCELLED)
    assert run.cancellation is not None
    text = str(run.cancellation)
    assert text.isprintable()
    assert len(text) < 1400


def test_while_it_ends_it_is_told_too() -> None:
    run = run_with(NOTES)
    assert run.asked is Asked.CANCEL
    assert describe_ending(run, {}, timedelta(minutes=2)).endswith(
        "after 2m0s it is deleted instead; cancelled by jane: wrong target"
    )
    ended = run_with(NOTES, **CANCELLED)
    assert "ended (cancelled by jane: wrong target); held" in (
        outcome_of_stopping(ended, "held").message
    )


def test_a_run_that_was_cancelled_and_then_deleted_names_the_person() -> None:
    notes = run_with(NOTES).cancellation
    lost = make_run("mine", spec={"status": "Cancelled"}, is_gone=True, has_stopped=True)
    assert "was cancelled, and then deleted" in outcome_of_lost_run(EXECUTION, lost, NOW).message
    object.__setattr__(lost, "cancellation", notes)
    failure = outcome_of_lost_run(EXECUTION, lost, NOW).failure
    assert failure is not None
    assert failure.message.startswith(
        f"cancelled by jane: wrong target; PipelineRun {lost.namespace}/{lost.name} was cancelled, "
        "and then deleted"
    )
    assert AUDIT_LOG not in failure.natural_language_summary


def test_only_a_run_that_has_ended_so_is_told_so() -> None:
    run = run_with(NOTES, succeeded="False", reason="Failed", message="it failed")
    found = Diagnosis(reason=FailureReason.TASK_FAILED, message="it failed")
    assert with_canceller(run, found) == found
