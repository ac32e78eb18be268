"""What is known: newest versions only, what matters to a decision, and no history."""

import sys
from datetime import timedelta
from typing import Any

import pytest

from builders import NOW, RUN_NAMESPACE, TARGET, ago, finished_run, make_execution, make_run
from workflowexecution.api.status import Phase
from workflowexecution.control.ledger import Ledger
from workflowexecution.core import names
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.kept_execution import kept
from workflowexecution.core.facts.run import Run

OTHER_TARGET = "Node/worker-1"
FAILED: dict[str, Any] = {"succeeded": "False", "reason": "Failed", "completed_at": NOW}
ENDED: dict[str, Any] = {"phase": Phase.COMPLETED, "slot": 1, "completed_at": ago(minutes=1)}


def key(number: int = 1) -> tuple[str, str]:
    return RUN_NAMESPACE, names.slot_name(TARGET, number)


def ledger_of(*seen: Execution | Run) -> Ledger:
    ledger = Ledger(RUN_NAMESPACE)
    for item in seen:
        if isinstance(item, Run):
            ledger.observe_run(item, now=NOW)
        else:
            ledger.observe_execution(item, now=NOW)
    return ledger


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


def test_what_is_new_is_told_once() -> None:
    ledger = Ledger(RUN_NAMESPACE)
    first = make_execution(version=1)
    assert ledger.observe_execution(first, now=NOW)
    assert not ledger.observe_execution(make_execution(version=2), now=NOW)
    assert not ledger.observe_execution(make_execution("over", **ENDED), now=NOW)


def test_what_has_ended_is_not_kept_and_a_late_event_does_not_bring_it_back() -> None:
    ledger = ledger_of(make_execution(version=1), make_execution(version=5, **ENDED))
    ledger.observe_execution(make_execution(version=4), now=NOW)
    assert ledger.executions() == []


def test_a_finished_run_is_kept_until_its_execution_has_ended() -> None:
    ledger = ledger_of(make_execution(version=1), finished_run("mine", version=2))
    assert [run.name for run in ledger.runs()] == [key()[1]]
    ledger.observe_execution(make_execution(version=3, **ENDED), now=NOW)
    assert ledger.runs() == []
    assert ledger.observe_run(make_run("mine", version=1), now=NOW) is None
    assert ledger.target_facts(make_execution("next")).runs == ()


def test_a_run_that_finished_before_its_execution_is_known_waits_for_it() -> None:
    """Watches are not in step: who did not make the run himself may be told of its end first."""
    ledger = ledger_of(finished_run("mine", version=2, created_at=NOW))
    ledger.observe_execution(make_execution(version=1), now=NOW)
    assert [run.name for run in ledger.runs_of(make_execution())] == [key()[1]]
    ledger.observe_execution(make_execution(version=3, **ENDED), now=NOW)
    assert ledger.runs() == []


def test_a_finished_run_does_not_wait_for_an_execution_that_is_settled_or_never_comes() -> None:
    settled = make_execution(version=3, **ENDED)
    assert ledger_of(settled, finished_run("mine", version=2)).runs() == []
    assert ledger_of(finished_run(None, version=2)).runs() == []
    ledger = ledger_of(
        finished_run("old", slot=1, version=2, created_at=ago(minutes=2)),
        finished_run("new", slot=2, version=2, created_at=NOW),
        make_execution("mine"),
        finished_run("mine", slot=3, version=2, created_at=ago(minutes=2)),
        make_run("gone", slot=4, version=2, created_at=ago(minutes=2)),
    )
    ledger.forget_unclaimed(ago(minutes=1))
    assert [run.slot_number for run in ledger.runs()] == [2, 3, 4]
    ledger.observe_run(finished_run("old", slot=1, version=1), now=NOW)
    assert [run.slot_number for run in ledger.runs()] == [2, 3, 4]


def test_an_older_run_of_the_same_name_never_replaces_a_newer_one() -> None:
    """A slot is used again once its history is gone, and late events of the first run come in."""
    first = make_run("first", uid="uid-1", version=20)
    second = make_run("second", uid="uid-2", version=30)
    ledger = ledger_of(second, first)
    assert ledger.run(second.key) == second
    assert ledger.run_is_gone(first.key, first.uid, now=NOW) is None
    assert ledger.runs() == [second]


def test_that_a_run_has_stopped_is_kept() -> None:
    run = make_run(version=1, **FAILED)
    ledger = ledger_of(make_execution("other"), run)
    assert ledger.mark_stopped(run.key, "uid-of-another", now=NOW) is None
    assert ledger.mark_stopped(key(9), run.uid, now=NOW) is None
    assert ledger.runs() == [run]
    ledger.mark_stopped(run.key, run.uid, now=NOW)
    ledger.observe_run(make_run(version=2, **FAILED), now=NOW)
    assert ledger.runs() == [make_run(version=2, has_stopped=True, **FAILED)]


def test_a_deleted_run_holds_its_target_until_nothing_is_left() -> None:
    run = make_run("gone", tasks=["one"])
    ledger = ledger_of(run)
    gone = ledger.run_is_gone(run.key, run.uid, now=NOW)
    assert gone is not None
    assert (str(gone.state), gone.has_started) == ("Stopping", None)
    assert ledger.unfinished_on(run.target_key) == [gone]
    assert ledger.run_is_gone(run.key, None, now=NOW) == gone
    ledger.mark_stopped(run.key, run.uid, now=NOW)
    assert ledger.unfinished_on(run.target_key) == []


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (make_run("gone"), False),
        (make_run("gone", tasks=["one"]), None),
        (make_run("gone", tasks=["one"], has_started=True), True),
    ],
)
def test_what_is_known_of_the_beginning_of_a_deleted_run(run: Run, expected: bool | None) -> None:
    gone = ledger_of(run).run_is_gone(run.key, run.uid, now=NOW)
    assert gone is not None
    assert gone.has_started is expected


def test_a_run_known_only_by_its_pods_is_taken_in_unless_it_is_known() -> None:
    known, gone = make_run("a"), make_run("b", slot=2, is_gone=True)
    ledger = ledger_of(known)
    assert ledger.take_in_gone_run(make_run("a", is_gone=True), now=NOW) == known
    assert ledger.take_in_gone_run(gone, now=NOW) == gone


def test_the_facts_of_a_target() -> None:
    mine = make_execution("mine")
    holder = make_execution("holder", phase=Phase.RUNNING, slot=7)
    elsewhere = make_execution("elsewhere", target=OTHER_TARGET)
    far = make_run("elsewhere", target=OTHER_TARGET, slot_target=OTHER_TARGET, slot=9)
    unfinished = make_run("third", slot=3)
    past = finished_run("past", slot=5)
    ledger = ledger_of(mine, holder, elsewhere, far, unfinished, past)
    ledger.forget_unclaimed(NOW)
    known = ledger.target_facts(mine)
    assert (known.runs, known.unseen, known.top_slot) == ((unfinished,), (kept(holder),), 7)
    assert [end.name for end in known.ends] == ["past"]


def test_another_target_under_one_key_is_told_apart() -> None:
    mine = make_execution("mine")
    past = finished_run("past", target="collides/With/it")
    unknown = finished_run("unknown", target=None, slot=2)
    ends = ledger_of(mine, past, unknown).target_facts(mine).ends
    assert [(end.name, end.target) for end in ends] == [("unknown", TARGET)]


def test_a_name_is_taken_whatever_its_run_is_on() -> None:
    odd = make_run(None, slot=4, target=OTHER_TARGET)
    assert ledger_of(odd).target_facts(make_execution()).top_slot == 4


def test_a_number_nobody_reaches_holds_its_target_and_is_not_counted_on_from() -> None:
    huge = make_run(None, target=None, slot=10**41)
    known = ledger_of(huge).target_facts(make_execution())
    assert (known.runs, known.top_slot) == ((huge,), 0)


def test_looking_at_an_unknown_target_leaves_nothing() -> None:
    ledger = Ledger(RUN_NAMESPACE)
    assert ledger.target_facts(make_execution()).runs == ()
    assert ledger._targets == {}


def test_nothing_is_left_of_what_was_forgotten() -> None:
    execution, run = make_execution("other"), make_run(version=1)
    ledger = ledger_of(execution, run)
    assert ledger.target_count() == 1
    assert ledger.forget_execution("uid-of-nobody", now=NOW) == []
    assert ledger.forget_execution(execution.uid, now=NOW) == [run.key]
    ledger.observe_run(make_run(version=2, **FAILED), now=NOW)
    ledger.mark_stopped(run.key, run.uid, now=NOW)
    ledger.forget_ends(before=NOW + timedelta(seconds=1))
    ledger.begin_listing()
    ledger.end_listing()
    assert (ledger.executions(), ledger.runs(), ledger._targets) == ([], [], {})
    assert len(ledger.slots) == 0


def test_slots_of_targets_that_were_listed_are_remembered() -> None:
    ledger = ledger_of(finished_run(slot=3))
    ledger.forget_ends(before=NOW)
    ledger.begin_listing()
    ledger.slots.note(make_run(slot=3).name)
    ledger.end_listing()
    assert ledger.target_facts(make_execution()).top_slot == 3


def test_an_end_that_is_told_late_counts() -> None:
    """A run that was deleted had stopped before Tekton said so: the cooldown is from the later."""
    settled = make_execution("other", phase=Phase.FAILED, slot=1, completed_at=NOW)
    ledger = ledger_of(settled, make_run("other", version=1, deleted_at=NOW))
    ledger.mark_stopped(key(), make_run("other").uid, now=NOW)
    (end,) = ledger.target_facts(make_execution()).ends
    assert end.completed_at == NOW
    later = NOW + timedelta(minutes=3)
    told = finished_run("other", version=2, deleted_at=NOW, completed_at=later)
    assert ledger.observe_run(told, now=later) is None
    (end,) = ledger.target_facts(make_execution()).ends
    assert end.completed_at == later


def test_memory_does_not_grow_with_the_history_of_a_target() -> None:
    ledger = Ledger(RUN_NAMESPACE)
    for number in range(1, 10_001):
        name = f"e{number}"
        ledger.observe_execution(make_execution(name, version=2, **ENDED), now=NOW)
        ledger.observe_run(finished_run(name, slot=number, version=1), now=NOW)
    target = ledger._targets[names.slot_key(TARGET)]
    assert (len(target.runs), len(target.executions), len(target.ends)) == (0, 0, 1)
    assert sys.getsizeof(ledger._settled._versions) < 1_000_000
    assert len(ledger._settled._versions) == len(ledger._finished._versions) == 4096


@pytest.mark.parametrize("is_deleted", [True, False])
def test_a_run_that_only_a_status_told_of_holds_until_it_is_read(is_deleted: bool) -> None:
    """Watches are not in step: the run may be at work when its execution has already gone."""
    execution = make_execution("other", phase=Phase.RUNNING, slot=1, version=1)
    ledger = ledger_of(execution)
    if is_deleted:
        assert ledger.forget_execution(execution.uid, now=NOW) == [key()]
    else:
        failed = {**ENDED, "phase": Phase.FAILED}
        ledger.observe_execution(make_execution("other", version=2, **failed), now=NOW)
    (held,) = ledger.unfinished_on(names.slot_key(TARGET))
    assert (held.key, held.uid, held.is_gone) == (key(), "", True)
    ledger.observe_run(make_run("other", version=3), now=NOW)
    assert [str(run.state) for run in ledger.runs()] == ["Active"]


def test_a_list_asked_for_before_does_not_bring_back_what_is_gone() -> None:
    execution = make_execution("mine", version=7)
    ledger = ledger_of(execution)
    ledger.forget_execution(execution.uid, now=NOW)
    assert not ledger.observe_execution(execution, now=NOW)
    assert ledger.executions() == []


def test_what_was_deleted_before_it_was_known_is_not_brought_back() -> None:
    ledger = ledger_of()
    execution = make_execution("mine", version=7)
    ledger.forget_execution(execution.uid, now=NOW)
    assert not ledger.observe_execution(execution, now=NOW)


def test_executions_that_are_left_to_others_are_not_taken_in() -> None:
    left: set[str] = set()
    ledger = Ledger(RUN_NAMESPACE, is_left=lambda namespace: namespace in left)
    execution = make_execution(phase=Phase.RUNNING, slot=1)
    ledger.observe_execution(execution, now=NOW)
    left.add(execution.namespace)
    ledger.leave_execution(execution)
    assert not ledger.observe_execution(execution, now=NOW)
    assert ledger.executions() == []
    # It says nothing of a run of ours: nothing is held by it.
    assert ledger.runs() == []
    left.clear()
    assert ledger.observe_execution(execution, now=NOW)


HELD: dict[str, Any] = {"reason": "PipelineRunPending", "spec": {"status": "PipelineRunPending"}}
FREED: dict[str, Any] = {"reason": "PipelineRunPending"}


def test_when_a_run_was_released_is_kept() -> None:
    ledger, later = ledger_of(make_run("mine", version=1, **HELD)), NOW + timedelta(hours=1)
    for version, moment in ((2, later), (3, later + timedelta(minutes=1))):
        run = ledger.observe_run(make_run("mine", version=version, **FREED), now=moment)
        assert run is not None
        assert run.released_at == later
    begun = make_run("mine", version=4, started_at=later)
    run = ledger.observe_run(begun, now=later + timedelta(minutes=2))
    assert run is not None
    assert run.released_at == later


@pytest.mark.parametrize(
    ("given", "released_at"), [(HELD, None), (FREED, NOW), ({"reason": "Started"}, None)]
)
def test_a_run_that_was_released_while_nobody_looked_waits_since_it_is_seen(
    given: dict[str, Any], released_at: object
) -> None:
    (run,) = ledger_of(make_run("mine", **given)).runs()
    assert run.released_at == released_at
