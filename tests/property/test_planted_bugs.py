"""The search finds what it is there to find: each bug planted here breaks one of its rules."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from model_interleavings import Interleavings, OneOperator, TwoOperators
from workflowexecution.core import decision, names, run_ending
from workflowexecution.core.facts.run import Run, RunState
from workflowexecution.core.run_ending import LeaveRun
from workflowexecution.core.snapshot import Snapshot

Plant = Callable[[pytest.MonkeyPatch], None]


def runs_are_created_without_a_slot(patch: pytest.MonkeyPatch) -> None:
    """Every name is new, so the API server refuses none."""
    numbers = itertools.count(1000)
    patch.setattr(names, "slot_name", lambda target, _: f"{names.slot_key(target)}-{next(numbers)}")


def a_failed_run_is_free_before_it_has_stopped(patch: pytest.MonkeyPatch) -> None:
    state = Run.state.fget  # type: ignore[attr-defined]

    def too_soon(run: Run) -> RunState:
        return RunState.FINISHED if run.succeeded == "False" else state(run)

    patch.setattr(Run, "state", property(too_soon))


def a_deleted_run_is_free_at_once(patch: pytest.MonkeyPatch) -> None:
    state = Run.state.fget  # type: ignore[attr-defined]

    def too_soon(run: Run) -> RunState:
        return RunState.FINISHED if run.is_gone else state(run)

    patch.setattr(Run, "state", property(too_soon))


def a_run_is_adopted_by_its_target(patch: pytest.MonkeyPatch) -> None:
    def last_on_target(snapshot: Snapshot) -> Run | None:
        return max(snapshot.runs, key=lambda run: run.slot_number, default=None)

    patch.setattr(decision, "own_run", last_on_target)


def a_cooldown_is_not_asked_for(patch: pytest.MonkeyPatch) -> None:
    checks = [one for one in decision.CHECKS if "cooling" not in one.__name__]
    patch.setattr(decision, "CHECKS", tuple(checks))


def an_orphan_goes_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(run_ending, "decide_run", lambda _: LeaveRun(None))


@pytest.mark.parametrize(
    ("plant", "machine"),
    [
        (runs_are_created_without_a_slot, TwoOperators),
        (a_failed_run_is_free_before_it_has_stopped, OneOperator),
        (a_deleted_run_is_free_at_once, OneOperator),
        (a_run_is_adopted_by_its_target, OneOperator),
        (a_cooldown_is_not_asked_for, OneOperator),
        (an_orphan_goes_on, OneOperator),
    ],
)
def test_is_found(
    monkeypatch: pytest.MonkeyPatch, plant: Plant, machine: type[Interleavings]
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=500,
                stateful_step_count=30,
                deadline=None,
                derandomize=True,
                database=None,
                phases=(Phase.generate,),
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
