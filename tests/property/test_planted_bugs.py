"""The search finds what it is there to find: each bug planted here breaks one of its rules."""

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis.errors import FlakyFailure

from model_interleavings import LeaderChanges, OneOperator, TwoOperators
from model_search import Counts, only_generate, play
from model_spellings import Spellings, Upgrade
from model_world import World
from workflowexecution.controller.actions import Launcher
from workflowexecution.controller.live_reads import LiveReads
from workflowexecution.controller.relist import Relist
from workflowexecution.core import decision, names, policy, run_ending
from workflowexecution.core.decision import Snapshot
from workflowexecution.core.facts.run import Run, RunState
from workflowexecution.core.policy import Retention
from workflowexecution.core.run_ending import LeaveRun

Plant = Callable[[pytest.MonkeyPatch], None]


def runs_are_created_without_a_number(patch: pytest.MonkeyPatch) -> None:
    """Every name is new, so the API server refuses none."""
    numbers = itertools.count(1000)
    patch.setattr(
        names, "run_name", lambda target, _: f"{names.target_key(target)}-{next(numbers)}"
    )


def a_failed_run_is_free_before_it_has_stopped(patch: pytest.MonkeyPatch) -> None:
    state = Run._state

    def too_soon(run: Run) -> RunState:
        return RunState.FINISHED if run.succeeded == "False" else state(run)

    patch.setattr(Run, "_state", too_soon)


def a_run_that_succeeded_is_free_before_it_has_stopped(patch: pytest.MonkeyPatch) -> None:
    state = Run._state

    def too_soon(run: Run) -> RunState:
        return RunState.FINISHED if run.succeeded == "True" else state(run)

    patch.setattr(Run, "_state", too_soon)


def a_deleted_run_is_free_at_once(patch: pytest.MonkeyPatch) -> None:
    state = Run._state

    def too_soon(run: Run) -> RunState:
        return RunState.FINISHED if run.is_gone else state(run)

    patch.setattr(Run, "_state", too_soon)


def a_run_is_adopted_by_its_target(patch: pytest.MonkeyPatch) -> None:
    def last_on_target(snapshot: Snapshot) -> Run | None:
        return max(snapshot.runs, key=lambda run: run.run_number, default=None)

    patch.setattr(decision, "own_run", last_on_target)


def a_run_is_adopted_by_the_name_of_its_execution(patch: pytest.MonkeyPatch) -> None:
    """A name is used again, and the run of the execution before it is still there."""

    def by_name(snapshot: Snapshot) -> Run | None:
        mine = (snapshot.execution.namespace, snapshot.execution.name)
        own = [
            run
            for run in snapshot.runs
            if run.owner and mine == (run.owner.namespace, run.owner.name)
        ]
        return max(own, key=lambda run: run.run_number, default=None)

    patch.setattr(decision, "own_run", by_name)


def a_skip_trusts_what_is_cached(patch: pytest.MonkeyPatch) -> None:
    """The holder of a target is not looked at before a Skip names it for good."""
    patch.setattr(LiveReads, "is_holder_fresh", lambda *_: True)


def a_cooldown_is_not_asked_for(patch: pytest.MonkeyPatch) -> None:
    checks = [one for one in decision.CHECKS if "cooling" not in one.__name__]
    patch.setattr(decision, "CHECKS", tuple(checks))


def retention_knows_no_cooldown(patch: pytest.MonkeyPatch) -> None:
    def too_soon(ended_at: datetime | None, keep: timedelta, _: Retention, now: datetime) -> bool:
        return bool(keep) and ended_at is not None and now >= ended_at + keep

    patch.setattr(policy, "_is_over", too_soon)


def an_orphan_goes_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(run_ending, "decide_run", lambda _: LeaveRun(None))


def the_one_who_takes_over_knows_nothing(patch: pytest.MonkeyPatch) -> None:
    """A standby does not queue what it knows when it begins to lead."""
    patch.setattr(Relist, "queue_all", lambda _: None)


def each_spelling_has_names_of_its_own(patch: pytest.MonkeyPatch) -> None:
    """Each operator knows that the spellings are one target; the API server does not."""
    patch.setattr(
        names,
        "run_name",
        lambda target, number: f"{names.former_target_key(target)}-{number}",
    )


def spellings_are_targets_of_their_own(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(names, "is_same_target", lambda one, other: one == other)


def the_names_of_an_earlier_version_are_not_read(patch: pytest.MonkeyPatch) -> None:
    async def trust_the_watch(*_: object) -> bool:
        return False

    patch.setattr(Launcher, "_look_for_former_run", trust_the_watch)


# With a seed that finds it soon; others find it, too, after some dozen or hundred schedules.
BUGS: list[tuple[Plant, type[World], int]] = [
    (runs_are_created_without_a_number, TwoOperators, 1),
    (a_failed_run_is_free_before_it_has_stopped, OneOperator, 2),
    (a_run_that_succeeded_is_free_before_it_has_stopped, OneOperator, 2),
    (a_deleted_run_is_free_at_once, OneOperator, 3),
    (a_run_is_adopted_by_its_target, OneOperator, 1),
    (a_run_is_adopted_by_the_name_of_its_execution, OneOperator, 3),
    (a_skip_trusts_what_is_cached, OneOperator, 3),
    (a_cooldown_is_not_asked_for, OneOperator, 1),
    (retention_knows_no_cooldown, OneOperator, 3),
    (an_orphan_goes_on, OneOperator, 1),
    (the_one_who_takes_over_knows_nothing, LeaderChanges, 1),
    (each_spelling_has_names_of_its_own, Spellings, 1),
    (spellings_are_targets_of_their_own, Spellings, 1),
    (spellings_are_targets_of_their_own, Upgrade, 1),
    (the_names_of_an_earlier_version_are_not_read, Upgrade, 1),
]


@pytest.mark.parametrize(("plant", "machine", "seed"), BUGS)
def test_is_found(
    monkeypatch: pytest.MonkeyPatch, plant: Plant, machine: type[World], seed: int
) -> None:
    plant(monkeypatch)
    # A history that breaks a rule once, and not when it is played again, has shown the bug, too.
    with pytest.raises((AssertionError, FlakyFailure)):
        play(machine, only_generate(1000), seed, Counts())
