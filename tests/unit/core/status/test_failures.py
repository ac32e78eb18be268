"""Failures that no run reports itself."""

import pytest

from builders import NOW, ago, make_execution, make_run, raw_execution
from workflowexecution.api.status import FailureReason, Phase
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.status.failures import (
    outcome_of_giving_up,
    outcome_of_lost_run,
    outcome_of_refusal,
)
from workflowexecution.core.status.outcome import Outcome
from workflowexecution.core.verdict import Refuse

RUN = make_run("mine")


def facts(outcome: Outcome) -> tuple[str, str, bool | None]:
    assert outcome.phase is Phase.FAILED
    assert outcome.failure is not None
    failure = outcome.failure
    return failure.reason, failure.message, failure.was_execution_failure


def test_a_refusal() -> None:
    refusal = Refuse("spec.x: wrong", FailureReason.FORBIDDEN)
    outcome = outcome_of_refusal(make_execution(), refusal, NOW)
    assert facts(outcome) == ("Forbidden", "spec.x: wrong", False)


NOT_KNOWN = "It is not known whether a step had begun, so "


@pytest.mark.parametrize("has_started", [True, False, None])
def test_a_run_that_is_given_up(has_started: bool | None) -> None:
    execution = make_execution(phase=Phase.RUNNING, number=1, started_at=ago(minutes=40))
    outcome = outcome_of_giving_up(execution, RUN, has_started=has_started, now=NOW)
    reason, message, started = facts(outcome)
    assert (reason, started) == ("DeadlineExceeded", has_started is not False)
    assert outcome.failure is not None
    assert (NOT_KNOWN in outcome.failure.natural_language_summary) is (has_started is None)
    assert f"see: kubectl describe pipelinerun -n {RUN.namespace} {RUN.name}" in message


@pytest.mark.parametrize(
    ("seen", "reported", "expected"),
    [
        (True, "Started", True),
        (False, "Running", False),
        (None, "Running", True),
        (None, "Started", False),
        (None, "ResolvingPipelineRef", False),
        (None, None, True),
    ],
)
def test_a_lost_run_may_have_changed_something_unless_it_is_known_that_it_did_not(
    seen: bool | None, reported: str | None, expected: bool
) -> None:
    status = {"phase": "Running", "pipelineRunStatus": {"status": "Unknown", "reason": reported}}
    execution = parse_execution(raw_execution(status=status))
    run = make_run("mine", is_gone=True, has_stopped=True, has_started=seen)
    reason, message, started = facts(outcome_of_lost_run(execution, run, NOW))
    assert (reason, started) == ("Unknown", expected)
    assert "was deleted by somebody else" in message


@pytest.mark.parametrize("reported", ["Started", "Running"])
def test_of_a_lost_run_with_tasks_it_is_told_that_nobody_knows(reported: str) -> None:
    status = {"phase": "Running", "pipelineRunStatus": {"status": "Unknown", "reason": reported}}
    run = make_run("mine", tasks=["work"], is_gone=True, has_stopped=True)
    outcome = outcome_of_lost_run(parse_execution(raw_execution(status=status)), run, NOW)
    assert outcome.failure is not None
    assert outcome.failure.was_execution_failure is True
    assert NOT_KNOWN in outcome.failure.natural_language_summary


def test_a_run_that_was_cancelled_first_was_not_deleted_by_just_anybody() -> None:
    run = make_run("mine", is_gone=True, has_stopped=True, spec={"status": "Cancelled"})
    _, message, _ = facts(outcome_of_lost_run(make_execution(), run, NOW))
    assert "was cancelled, and then deleted" in message
