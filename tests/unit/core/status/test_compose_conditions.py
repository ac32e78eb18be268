"""Conditions: what each phase says, and since when."""

import pytest

from builders import NOW, ago, make_run
from workflowexecution.api.status import Phase
from workflowexecution.core.status.compose import conditions_for
from workflowexecution.core.status.outcome import outcome_of_ending, outcome_of_progress

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


def test_a_complaint_about_tekton_is_the_reason_while_it_lasts() -> None:
    outcome = outcome_of_progress(make_run("mine"), "Tekton is not there")
    assert (outcome.phase, outcome.reason, outcome.message) == (
        Phase.RUNNING,
        "WaitingForTekton",
        "Tekton is not there",
    )


def test_what_a_run_waits_for_is_told_beside_what_tekton_has_not_done() -> None:
    run = make_run("mine")
    waits = outcome_of_progress(run, waits_for="a quota")
    assert (waits.phase, waits.reason) == (Phase.RUNNING, "Waiting")
    assert waits.message == f"PipelineRun {run.namespace}/{run.name} waits: a quota"
    late = outcome_of_progress(run, "It is late.", "a quota")
    assert (late.reason, late.message) == ("WaitingForTekton", "It is late. It waits: a quota")


@pytest.mark.parametrize(
    ("spec", "by"),
    [
        ({"status": "PipelineRunPending"}, "its spec.status is PipelineRunPending"),
        ({"managedBy": "queue.example"}, "queue.example manages it"),
    ],
)
def test_of_a_run_that_is_queued_is_told_what_queues_it(spec: dict[str, str], by: str) -> None:
    outcome = outcome_of_progress(make_run("mine", spec=spec), "Tekton is not there")
    assert (outcome.phase, outcome.reason) == (Phase.RUNNING, "Queued")
    assert f"is queued by something in the cluster ({by}): its time limit" in outcome.message


def test_of_a_run_that_is_being_ended_is_told_how_far_that_is() -> None:
    outcome = outcome_of_ending(make_run("mine"), "it is being cancelled")
    assert (outcome.phase, outcome.reason) == (Phase.RUNNING, "Stopping")
    assert outcome.message == "it is being cancelled"
