"""Conditions: what each phase says, since when, and whether what ran is what was asked for."""

import dataclasses

import pytest

from builders import NOW, ago, make_execution, make_run
from workflowexecution.api.status import Condition, Phase, WorkflowExecutionStatus
from workflowexecution.core.status.compose import status_for
from workflowexecution.core.status.conditions import conditions_for
from workflowexecution.core.status.outcome import outcome_of_progress, outcome_of_run
from workflowexecution.observe.events import events_for

EXPECTED = {
    Phase.PENDING: ("Unknown", "False", "True", "False"),
    Phase.RUNNING: ("Unknown", "True", "True", "False"),
    Phase.COMPLETED: ("True", "True", "False", "False"),
    Phase.FAILED: ("False", "True", "False", "True"),
    Phase.SKIPPED: ("False", "False", "False", "False"),
}


@pytest.mark.parametrize(("phase", "expected"), EXPECTED.items())
def test_what_each_phase_says(phase: Phase, expected: tuple[str, ...]) -> None:
    has_run = expected[1] == "True"
    built = conditions_for(
        [], phase=phase, reason="Why", message="said", has_run=has_run, generation=3, now=NOW
    )
    assert [item.type for item in built] == [
        "Succeeded",
        "PipelineRunCreated",
        "Reconciling",
        "Stalled",
    ]
    assert tuple(item.status for item in built) == expected
    assert {item.observed_generation for item in built} == {3}
    assert {item.last_transition_time for item in built} == {NOW.replace(microsecond=0)}


def test_a_condition_moves_its_time_only_when_it_flips() -> None:
    first = conditions_for(
        [],
        phase=Phase.RUNNING,
        reason="Running",
        message="",
        has_run=True,
        generation=1,
        now=ago(minutes=2),
    )
    second = conditions_for(
        first, phase=Phase.COMPLETED, reason="Done", message="", has_run=True, generation=1, now=NOW
    )
    flipped = {
        new.type
        for old, new in zip(first, second, strict=True)
        if old.last_transition_time != new.last_transition_time
    }
    assert flipped == {"Succeeded", "Reconciling"}


def _verified(status: WorkflowExecutionStatus) -> Condition | None:
    return next((item for item in status.conditions if item.type == "BundleVerified"), None)


def test_another_bundle_than_was_asked_for_is_told_once() -> None:
    run = make_run("mine", started_at=ago(minutes=1))
    unknown = status_for(
        WorkflowExecutionStatus(), outcome_of_progress(run), generation=1, now=ago(minutes=1)
    )
    assert _verified(unknown) is None
    other = dataclasses.replace(run, is_as_pinned=False)
    told = status_for(unknown, outcome_of_progress(other), generation=1, now=NOW)
    found = _verified(told)
    assert found is not None
    assert (found.status, found.reason) == ("False", "DigestMismatch")

    events = events_for(make_execution(), unknown, told, now=NOW)
    assert [(item["type"], item["reason"]) for item in events] == [("Warning", "DigestMismatch")]
    again = events_for(make_execution(), told, told, now=NOW)
    assert again == []


def test_what_is_known_of_the_bundle_is_kept() -> None:
    run = dataclasses.replace(make_run("mine"), is_as_pinned=True)
    told = status_for(
        WorkflowExecutionStatus(), outcome_of_run(run, None), generation=1, now=ago(minutes=1)
    )
    later = dataclasses.replace(run, is_as_pinned=None)
    kept = status_for(told, outcome_of_run(later, None), generation=1, now=NOW)
    assert _verified(kept) == _verified(told)


def test_a_complaint_about_tekton_is_the_reason_while_it_lasts() -> None:
    outcome = outcome_of_progress(make_run("mine"), "Tekton is not there")
    assert (outcome.phase, outcome.reason, outcome.message) == (
        Phase.RUNNING,
        "WaitingForTekton",
        "Tekton is not there",
    )
