"""The first page tells what is true now, and to each what they may see."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import (
    NOW,
    RUN_NAMESPACE,
    TARGET,
    ago,
    finished_run,
    make_execution,
    make_run,
    make_task_run,
)
from workflowexecution.api.status import Phase
from workflowexecution.core.facts.leftovers import Leftovers
from workflowexecution.core.facts.run import Run
from workflowexecution.core.guards import Guards
from workflowexecution.core.policy import Rules
from workflowexecution.page.gate import Sight
from workflowexecution.page.overview import ROWS, Known, Overview, overview_of
from workflowexecution.views.blockers import cooldowns_of
from workflowexecution.views.executions import Wanted
from workflowexecution.views.preview import Facts, store_of

ALL = Sight(has_all=True, sees_runs=True, sees_tasks=True)
ANYTHING = Wanted()


def see(known: Known, sight: Sight = ALL, wanted: Wanted = ANYTHING, number: int = 1) -> Overview:
    return overview_of(known, sight, wanted, number, NOW)


def at_work(run: Run) -> Leftovers:
    """One TaskRun of it that has not ended."""
    return Leftovers(task_runs=(make_task_run("change", "Unknown", "Running"),))


def test_a_run_that_has_ended_holds_its_target_while_something_of_it_executes() -> None:
    run = make_run(succeeded="False", reason="Failed", completed_at=ago(minutes=1))
    held = see(Known(runs=[run], leftovers={run.key: at_work(run)})).locks.items
    assert [(lock.target, lock.state, lock.executing) for lock in held] == [
        (TARGET, "Stopping", "task change")
    ]
    # A standby learns of this later than the leader; the page has looked for itself.
    assert see(Known(runs=[run], leftovers={run.key: Leftovers()})).locks.total == 0
    # What could not be read may execute.
    assert see(Known(runs=[run])).locks.total == 1


def test_a_run_that_nobody_has_seen_holds_whatever_is_left_of_it() -> None:
    run = make_run(is_gone=True)
    unseen = replace(run, uid="")
    assert see(Known(runs=[unseen], leftovers={unseen.key: Leftovers()})).locks.total == 1


def test_a_lock_is_shown_to_whom_may_list_the_executions_of_its_holder() -> None:
    run = make_run("mine")
    known = Known(runs=[run], leftovers={run.key: at_work(run)})
    (lock,) = see(known, Sight(namespaces=frozenset({"team-a"}))).locks.items
    assert lock.holder == "team-a/mine"
    assert (lock.executing, lock.pods) == ("Running", ())
    assert see(known, Sight(namespaces=frozenset({"team-b"}))).locks.total == 0


def test_a_run_of_a_person_is_shown_to_whom_may_list_runs() -> None:
    known = Known(runs=[make_run(owner=None)])
    namespaces = frozenset({"team-a", RUN_NAMESPACE})
    assert see(known, Sight(namespaces=namespaces)).locks.total == 0
    assert see(known, Sight(sees_runs=True)).locks.total == 1


def test_a_cooldown_is_shown_to_whom_may_see_what_started_it() -> None:
    store = store_of(Facts(runs=(finished_run("mine", completed_at=ago(minutes=1)),)), "", NOW)
    rules = Rules(timedelta(minutes=5), Guards())
    known = Known(cooldowns=cooldowns_of(store, lambda _: rules, NOW))
    (cooldown,) = see(known).cooldowns.items
    assert (cooldown.execution, cooldown.remaining) == ("team-a/mine", timedelta(minutes=4))
    assert see(known, Sight(namespaces=frozenset({"team-a"}))).cooldowns.total == 1
    assert see(known, Sight(namespaces=frozenset({"team-b"}))).cooldowns.total == 0


def test_executions_are_shown_in_parts() -> None:
    many = [make_execution(f"x-{number:03}") for number in range(ROWS + 7)]
    first, second = see(Known(recent=many)), see(Known(recent=many), number=2)
    assert (len(first.rows.items), first.has_next) == (ROWS, True)
    assert (len(second.rows.items), second.has_next) == (7, False)
    shown = {row.execution.name for row in [*first.rows.items, *second.rows.items]}
    assert len(shown) == ROWS + 7


@pytest.mark.parametrize(
    ("wanted", "locks", "rows"),
    [
        (Wanted(target=TARGET), 1, 2),
        (Wanted(target="payment/deployment/payment-api"), 1, 2),
        (Wanted(target="other"), 0, 0),
        (Wanted(workflow_id="restart"), 1, 2),
        (Wanted(workflow_id="other"), 0, 0),
        (Wanted(phases=[Phase.RUNNING]), 1, 1),
    ],
)
def test_what_is_asked_for_narrows_the_tables(wanted: Wanted, locks: int, rows: int) -> None:
    running = make_execution("a", phase=Phase.RUNNING, number=1, started_at=ago(minutes=1))
    known = Known(runs=[make_run()], recent=[running, make_execution("b")])
    seen = see(known, wanted=wanted)
    assert (seen.locks.total, seen.rows.total) == (locks, rows)


def test_a_sentence_sums_up_for_who_cannot_see_the_tables_change() -> None:
    running = make_execution("a", phase=Phase.RUNNING, number=1, started_at=ago(minutes=1))
    known = Known(runs=[make_run()], recent=[running, make_execution("b")])
    told = "1 target held, 0 cooldowns, 2 executions: 1 Running, 1 not seen yet"
    assert see(known).summary == told
