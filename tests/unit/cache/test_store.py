"""The store has the newest versions only, all that decisions need, and no history."""

import sys
from datetime import timedelta
from typing import Any

import pytest

from builders import NOW, RUN_NAMESPACE, TARGET, ago, finished_run, make_execution, make_run
from workflowexecution.api.status import Phase
from workflowexecution.cache.store import Store
from workflowexecution.core import names
from workflowexecution.core.decision import Snapshot
from workflowexecution.core.facts.decoding import kept
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.guards import Guards

OTHER_TARGET = "Node/worker-1"
FAILED: dict[str, Any] = {"succeeded": "False", "reason": "Failed", "completed_at": NOW}
ENDED: dict[str, Any] = {"phase": Phase.COMPLETED, "number": 1, "completed_at": ago(minutes=1)}


def key(number: int = 1) -> tuple[str, str]:
    return RUN_NAMESPACE, names.run_name(TARGET, number)


def snapshot_of(store: Store, execution: Execution) -> Snapshot:
    """The facts of a decision on an execution under default settings."""
    return store.snapshot(
        execution,
        problem="",
        cooldown=timedelta(minutes=5),
        deadline_grace=timedelta(minutes=5),
        holds=(),
        guards=Guards(),
        now=NOW,
    )


def store_of(*seen: Execution | Run) -> Store:
    store = Store(RUN_NAMESPACE)
    for item in seen:
        if isinstance(item, Run):
            store.observe_run(item, now=NOW)
        else:
            store.observe_execution(item, now=NOW)
    return store


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
    executions = store_of(*(make_execution("e", version=item) for item in (known, seen)))
    runs = store_of(*(make_run(version=item) for item in (known, seen)))
    assert [item.resource_version for item in executions.executions()] == [kept]
    assert [item.resource_version for item in runs.runs()] == [kept]


def test_what_is_new_is_told_once() -> None:
    store = Store(RUN_NAMESPACE)
    first = make_execution(version=1)
    assert store.observe_execution(first, now=NOW)
    assert not store.observe_execution(make_execution(version=2), now=NOW)
    assert not store.observe_execution(make_execution("over", **ENDED), now=NOW)


def test_what_has_ended_is_not_kept_and_a_late_event_does_not_bring_it_back() -> None:
    store = store_of(make_execution(version=1), make_execution(version=5, **ENDED))
    store.observe_execution(make_execution(version=4), now=NOW)
    assert store.executions() == []


def test_a_finished_run_is_kept_until_its_execution_has_ended() -> None:
    store = store_of(make_execution(version=1), finished_run("mine", version=2))
    assert [run.name for run in store.runs()] == [key()[1]]
    store.observe_execution(make_execution(version=3, **ENDED), now=NOW)
    assert store.runs() == []
    assert store.observe_run(make_run("mine", version=1), now=NOW) is None
    assert snapshot_of(store, make_execution("next")).runs == ()


def test_a_run_that_finished_before_its_execution_is_known_waits_for_it() -> None:
    """Watches are not in step: who did not make the run himself may be told of its end first."""
    store = store_of(finished_run("mine", version=2, created_at=NOW))
    store.observe_execution(make_execution(version=1), now=NOW)
    assert [run.name for run in store.runs_of(make_execution())] == [key()[1]]
    store.observe_execution(make_execution(version=3, **ENDED), now=NOW)
    assert store.runs() == []


def test_a_finished_run_does_not_wait_for_an_execution_that_is_settled_or_never_comes() -> None:
    settled = make_execution(version=3, **ENDED)
    assert store_of(settled, finished_run("mine", version=2)).runs() == []
    assert store_of(finished_run(None, version=2)).runs() == []
    store = store_of(
        finished_run("old", number=1, version=2, created_at=ago(minutes=2)),
        finished_run("new", number=2, version=2, created_at=NOW),
        make_execution("mine"),
        finished_run("mine", number=3, version=2, created_at=ago(minutes=2)),
        make_run("gone", number=4, version=2, created_at=ago(minutes=2)),
    )
    store.forget_unclaimed(ago(minutes=1))
    assert [run.run_number for run in store.runs()] == [2, 3, 4]
    store.observe_run(finished_run("old", number=1, version=1), now=NOW)
    assert [run.run_number for run in store.runs()] == [2, 3, 4]


def test_an_older_run_of_the_same_name_never_replaces_a_newer_one() -> None:
    """A number is used again once its history is gone, and late events of the first run come in."""
    first = make_run("first", uid="uid-1", version=20)
    second = make_run("second", uid="uid-2", version=30)
    store = store_of(second, first)
    assert store.run(second.key) == second
    assert store.run_is_gone(first.key, first.uid, now=NOW) is None
    assert store.runs() == [second]


def test_that_a_run_has_stopped_is_kept() -> None:
    run = make_run(version=1, **FAILED)
    store = store_of(make_execution("other"), run)
    assert store.mark_stopped(run.key, "uid-of-another", now=NOW) is None
    assert store.mark_stopped(key(9), run.uid, now=NOW) is None
    assert store.runs() == [run]
    store.mark_stopped(run.key, run.uid, now=NOW)
    store.observe_run(make_run(version=2, **FAILED), now=NOW)
    assert store.runs() == [make_run(version=2, has_stopped=True, **FAILED)]


def test_a_deleted_run_holds_its_target_until_nothing_is_left() -> None:
    run = make_run("gone", tasks=["one"])
    store = store_of(run)
    gone = store.run_is_gone(run.key, run.uid, now=NOW)
    assert gone is not None
    assert (str(gone.state), gone.has_started) == ("Stopping", None)
    assert store.targets.unfinished_on(run.target_key) == [gone]
    assert store.run_is_gone(run.key, None, now=NOW) == gone
    store.mark_stopped(run.key, run.uid, now=NOW)
    assert store.targets.unfinished_on(run.target_key) == []


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (make_run("gone"), False),
        (make_run("gone", tasks=["one"]), None),
        (make_run("gone", tasks=["one"], has_started=True), True),
    ],
)
def test_what_is_known_of_the_beginning_of_a_deleted_run(run: Run, expected: bool | None) -> None:
    gone = store_of(run).run_is_gone(run.key, run.uid, now=NOW)
    assert gone is not None
    assert gone.has_started is expected


def test_a_run_known_only_by_its_pods_is_taken_in_unless_it_is_known() -> None:
    known, gone = make_run("a"), make_run("b", number=2, is_gone=True)
    store = store_of(known)
    assert store.take_in_gone_run(make_run("a", is_gone=True), now=NOW) == known
    assert store.take_in_gone_run(gone, now=NOW) == gone


def test_the_facts_of_a_target() -> None:
    mine = make_execution("mine")
    holder = make_execution("holder", phase=Phase.RUNNING, number=7)
    elsewhere = make_execution("elsewhere", target=OTHER_TARGET)
    far = make_run("elsewhere", target=OTHER_TARGET, name_target=OTHER_TARGET, number=9)
    unfinished = make_run("third", number=3)
    past = finished_run("past", number=5)
    store = store_of(mine, holder, elsewhere, far, unfinished, past)
    store.forget_unclaimed(NOW)
    known = snapshot_of(store, mine)
    assert (known.runs, known.unseen, known.top_number) == ((unfinished,), (kept(holder),), 7)
    assert [end.name for end in known.ends] == ["past"]


def test_another_target_under_one_key_is_told_apart() -> None:
    mine = make_execution("mine")
    past = finished_run("past", target="collides/With/it")
    unknown = finished_run("unknown", target=None, number=2)
    ends = snapshot_of(store_of(mine, past, unknown), mine).ends
    assert [(end.name, end.target) for end in ends] == [("unknown", TARGET)]


def test_a_name_is_taken_whatever_its_run_is_on() -> None:
    odd = make_run(None, number=4, target=OTHER_TARGET)
    assert snapshot_of(store_of(odd), make_execution()).top_number == 4


def test_a_number_nobody_reaches_holds_its_target_and_is_not_counted_on_from() -> None:
    huge = make_run(None, target=None, number=10**41)
    known = snapshot_of(store_of(huge), make_execution())
    assert (known.runs, known.top_number) == ((huge,), 0)


def test_looking_at_an_unknown_target_leaves_nothing() -> None:
    store = Store(RUN_NAMESPACE)
    assert snapshot_of(store, make_execution()).runs == ()
    assert store.targets == {}


def test_nothing_is_left_of_what_was_forgotten() -> None:
    execution, run = make_execution("other"), make_run(version=1)
    store = store_of(execution, run)
    assert len(store.targets) == 1
    assert store.forget_execution("uid-of-nobody", now=NOW) == []
    assert store.forget_execution(execution.uid, now=NOW) == [run.key]
    store.observe_run(make_run(version=2, **FAILED), now=NOW)
    store.mark_stopped(run.key, run.uid, now=NOW)
    store.targets.forget_ends(before=NOW + timedelta(seconds=1))
    store.begin_listing()
    store.end_listing()
    assert (store.executions(), store.runs(), store.targets) == ([], [], {})
    assert len(store.numbers) == 0


def test_run_numbers_of_targets_that_were_listed_are_remembered() -> None:
    store = store_of(finished_run(number=3))
    store.targets.forget_ends(before=NOW)
    store.begin_listing()
    store.numbers.note(make_run(number=3).name)
    store.end_listing()
    assert snapshot_of(store, make_execution()).top_number == 3


def test_an_end_that_is_told_late_counts() -> None:
    """A run that was deleted had stopped before Tekton said so: the cooldown is from the later."""
    settled = make_execution("other", phase=Phase.FAILED, number=1, completed_at=NOW)
    store = store_of(settled, make_run("other", version=1, deleted_at=NOW))
    store.mark_stopped(key(), make_run("other").uid, now=NOW)
    (end,) = snapshot_of(store, make_execution()).ends
    assert end.completed_at == NOW
    later = NOW + timedelta(minutes=3)
    told = finished_run("other", version=2, deleted_at=NOW, completed_at=later)
    assert store.observe_run(told, now=later) is None
    (end,) = snapshot_of(store, make_execution()).ends
    assert end.completed_at == later


def test_memory_does_not_grow_with_the_history_of_a_target() -> None:
    store = Store(RUN_NAMESPACE)
    for number in range(1, 10_001):
        name = f"e{number}"
        store.observe_execution(make_execution(name, version=2, **ENDED), now=NOW)
        store.observe_run(finished_run(name, number=number, version=1), now=NOW)
    target = store.targets[names.target_key(TARGET)]
    assert (len(target.runs), len(target.executions), len(target.ends)) == (0, 0, 1)
    assert sys.getsizeof(store._settled._versions) < 1_000_000
    assert len(store._settled._versions) == len(store._finished._versions) == 4096


@pytest.mark.parametrize("is_deleted", [True, False])
def test_a_run_that_only_a_status_told_of_holds_until_it_is_read(is_deleted: bool) -> None:
    """Watches are not in step: the run may be at work when its execution has already gone."""
    execution = make_execution("other", phase=Phase.RUNNING, number=1, version=1)
    store = store_of(execution)
    if is_deleted:
        assert store.forget_execution(execution.uid, now=NOW) == [key()]
    else:
        failed = {**ENDED, "phase": Phase.FAILED}
        store.observe_execution(make_execution("other", version=2, **failed), now=NOW)
    (held,) = store.targets.unfinished_on(names.target_key(TARGET))
    assert (held.key, held.uid, held.is_gone) == (key(), "", True)
    store.observe_run(make_run("other", version=3), now=NOW)
    assert [str(run.state) for run in store.runs()] == ["Active"]


def test_a_list_asked_for_before_does_not_bring_back_what_is_gone() -> None:
    execution = make_execution("mine", version=7)
    store = store_of(execution)
    store.forget_execution(execution.uid, now=NOW)
    assert not store.observe_execution(execution, now=NOW)
    assert store.executions() == []


def test_what_was_deleted_before_it_was_known_is_not_brought_back() -> None:
    store = store_of()
    execution = make_execution("mine", version=7)
    store.forget_execution(execution.uid, now=NOW)
    assert not store.observe_execution(execution, now=NOW)


def test_executions_that_are_left_to_others_are_not_taken_in() -> None:
    left: set[str] = set()
    store = Store(RUN_NAMESPACE, is_left=lambda namespace: namespace in left)
    execution = make_execution(phase=Phase.RUNNING, number=1)
    store.observe_execution(execution, now=NOW)
    left.add(execution.namespace)
    store.leave_execution(execution)
    assert not store.observe_execution(execution, now=NOW)
    assert store.executions() == []
    # It says nothing of a run of ours: nothing is held by it.
    assert store.runs() == []
    left.clear()
    assert store.observe_execution(execution, now=NOW)


HELD: dict[str, Any] = {"reason": "PipelineRunPending", "spec": {"status": "PipelineRunPending"}}
FREED: dict[str, Any] = {"reason": "PipelineRunPending"}


def test_when_a_run_was_released_is_kept() -> None:
    store, later = store_of(make_run("mine", version=1, **HELD)), NOW + timedelta(hours=1)
    for version, moment in ((2, later), (3, later + timedelta(minutes=1))):
        run = store.observe_run(make_run("mine", version=version, **FREED), now=moment)
        assert run is not None
        assert run.released_at == later
    begun = make_run("mine", version=4, started_at=later)
    run = store.observe_run(begun, now=later + timedelta(minutes=2))
    assert run is not None
    assert run.released_at == later


@pytest.mark.parametrize(
    ("given", "released_at"), [(HELD, None), (FREED, NOW), ({"reason": "Started"}, None)]
)
def test_a_run_that_was_released_while_nobody_looked_waits_since_it_is_seen(
    given: dict[str, Any], released_at: object
) -> None:
    (run,) = store_of(make_run("mine", **given)).runs()
    assert run.released_at == released_at
