"""What is known: newest versions only, by identity and by target, and nothing left behind."""

import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from builders import NOW, TARGET, make_execution, make_run, make_snapshot
from workflowexecution.api.status import Phase
from workflowexecution.control.ledger import Known, Ledger
from workflowexecution.core import names
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.snapshot import Snapshot

OTHER_TARGET = "Node/worker-1"
ENDED: dict[str, Any] = {"succeeded": "False", "reason": "Failed", "completed_at": NOW}


def ledger_of(*seen: Execution | Run) -> Ledger:
    ledger = Ledger()
    for item in seen:
        if isinstance(item, Run):
            ledger.observe_run(item)
        else:
            ledger.observe_execution(item)
    return ledger


def snapshot_of(ledger: Ledger, execution: Execution) -> Snapshot:
    return ledger.snapshot(execution, problem="", cooldown=timedelta(0), now=NOW)


def by_name(seen: Sequence[Execution | Run]) -> list[Execution | Run]:
    return sorted(seen, key=lambda item: item.name)


@pytest.mark.parametrize(
    ("known", "seen", "kept"),
    [
        pytest.param("9", "10", "10", id="newer-by-number-not-by-text"),
        pytest.param("10", "9", "10", id="older"),
        pytest.param("10", "10", "10", id="the-same"),
        pytest.param("10", "odd", "odd", id="not-comparable"),
    ],
)
def test_an_older_version_never_replaces_a_newer_one(known: str, seen: str, kept: str) -> None:
    executions = ledger_of(*(make_execution("e", version=item) for item in (known, seen)))
    runs = ledger_of(*(make_run(version=item) for item in (known, seen)))
    assert [item.resource_version for item in executions.executions()] == [kept]
    assert [item.resource_version for item in runs.runs()] == [kept]


def test_an_older_run_of_the_same_name_never_replaces_a_newer_one() -> None:
    """A slot is used again once its history is gone, and late events of the first run come in."""
    first = make_run("first", uid="uid-1", version=20, succeeded="True", completed_at=NOW)
    second = make_run("second", uid="uid-2", version=30)
    ledger = ledger_of(second, first)
    assert ledger.run(second.name) == second
    ledger.forget_run(first.name, first.uid)
    assert ledger.runs() == [second]


def test_a_newer_run_of_the_same_name_takes_its_place() -> None:
    first = make_run("first", uid="uid-1", version=20, has_stopped=True, **ENDED)
    second = make_run("second", uid="uid-2", version=30)
    assert ledger_of(first, second).runs() == [second]


def test_that_a_run_has_stopped_is_kept() -> None:
    run = make_run(version=1, **ENDED)
    ledger = ledger_of(run)
    ledger.mark_stopped(run.name, "uid-of-another")
    ledger.mark_stopped("wfe-0123456789abcdef-1", run.uid)
    assert ledger.runs() == [run]
    ledger.mark_stopped(run.name, run.uid)
    ledger.observe_run(make_run(version=2, **ENDED))
    assert ledger.runs() == [make_run(version=2, has_stopped=True, **ENDED)]


def test_a_snapshot_holds_what_concerns_its_target() -> None:
    mine, other = make_execution("mine"), make_execution("other", phase=Phase.RUNNING, slot=1)
    elsewhere = make_execution("elsewhere", target=OTHER_TARGET)
    run = make_run("other")
    colliding = make_run("third", slot=2, target="collides/With/it")
    far = make_run("elsewhere", target=OTHER_TARGET, slot_target=OTHER_TARGET)
    ledger = ledger_of(mine, other, elsewhere, run, colliding, far)
    taken = ledger.snapshot(mine, problem="wrong", cooldown=timedelta(1), now=NOW)
    assert taken == make_snapshot(
        mine, runs=[run, colliding], others=[other], problem="wrong", cooldown=timedelta(1)
    )


def test_a_snapshot_does_not_change_with_the_ledger() -> None:
    mine = make_execution("mine")
    ledger = ledger_of(mine)
    taken = snapshot_of(ledger, mine)
    ledger.observe_run(make_run())
    assert taken == make_snapshot(mine, cooldown=timedelta(0))


def test_an_execution_whose_key_collides_is_not_told_of() -> None:
    mine = make_execution("mine")
    colliding = dataclasses.replace(make_execution("other"), target="collides/With/it")
    ledger = ledger_of(mine)
    ledger._executions_by_slot[names.slot_key(TARGET)][colliding.uid] = colliding
    assert snapshot_of(ledger, mine) == make_snapshot(mine, cooldown=timedelta(0))


def test_nothing_is_left_of_what_was_forgotten() -> None:
    execution, run = make_execution(), make_run()
    ledger = ledger_of(execution, run)
    ledger.forget_execution("uid-of-nobody")
    ledger.forget_run("wfe-0123456789abcdef-1")
    ledger.forget_run(run.name, "uid-of-another")
    assert (ledger.executions(), ledger.runs()) == ([execution], [run])
    ledger.forget_execution(execution.uid)
    ledger.forget_run(run.name, run.uid)
    ledger.forget_run(run.name)
    assert (ledger.execution(execution.uid), ledger.run(run.name)) == (None, None)
    assert (ledger._executions_by_slot, ledger._runs_by_slot) == ({}, {})


def test_looking_at_an_unknown_target_leaves_nothing() -> None:
    ledger = Ledger()
    assert snapshot_of(ledger, make_execution()).runs == ()
    assert (ledger._executions_by_slot, ledger._runs_by_slot) == ({}, {})


def test_full_lists_drop_what_was_known_before_them_and_is_absent() -> None:
    gone, stays = make_execution("gone"), make_execution("stays", version=5)
    gone_run, stays_run = make_run("gone", slot=1), make_run("stays", slot=2, version=5)
    ledger = ledger_of(gone, stays, gone_run, stays_run)
    before = ledger.names_and_uids()
    late, late_run = make_execution("late"), make_run("late", slot=3)
    ledger.observe_execution(late)
    ledger.observe_run(late_run)
    older, older_run = make_execution("stays", version=4), make_run("stays", slot=2, version=4)
    new, new_run = make_execution("new"), make_run("new", slot=4)
    ledger.replace(before, [older, new], [older_run, new_run])
    assert by_name(ledger.executions()) == [late, new, stays]
    assert by_name(ledger.runs()) == [stays_run, late_run, new_run]


def test_full_lists_keep_a_run_that_took_the_name_of_an_absent_one() -> None:
    first = make_run("first", uid="uid-1", version=20)
    second = make_run("second", uid="uid-2", version=30)
    ledger = ledger_of(first)
    before = ledger.names_and_uids()
    ledger.observe_run(second)
    ledger.replace(before, [], [])
    assert ledger.runs() == [second]


def test_what_is_known_is_told_by_identity() -> None:
    execution, run = make_execution(), make_run()
    assert ledger_of(execution, run).names_and_uids() == Known(
        execution_uids=frozenset({execution.uid}), runs=frozenset({(run.name, run.uid)})
    )
