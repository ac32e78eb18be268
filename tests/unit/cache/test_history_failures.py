"""The last end of each workflow is kept while the cluster has it, and only if a guard needs it."""

from dataclasses import replace
from typing import Any

import pytest

from builders import NOW, RUN_NAMESPACE, TARGET, ago, failed_execution, finished_run, make_run
from workflowexecution.api.status import Phase
from workflowexecution.cache.store import Store
from workflowexecution.core.facts.run import Run


def failed_run(**given: Any) -> Run:
    return make_run(
        "failed",
        succeeded="False",
        has_stopped=True,
        created_at=ago(minutes=20),
        completed_at=ago(minutes=10),
        tasks=("change",),
        **given,
    )


@pytest.fixture
def store() -> Store:
    return Store(RUN_NAMESPACE, keeps_endings=True)


def blocks(store: Store) -> bool:
    newest = store.endings.newest(TARGET, "restart")
    return newest is not None and newest.failed_at_work


def test_without_a_guard_nothing_is_kept() -> None:
    store = Store(RUN_NAMESPACE)
    store.observe_execution(failed_execution(number=1), now=NOW)
    store.observe_run(failed_run(), now=NOW)
    assert (len(store.endings), store.endings.newest(TARGET, "restart")) == (0, None)


def test_the_most_failures_in_a_row_are_those_before_the_first_step(store: Store) -> None:
    assert store.endings.most_failures() == 0
    three = failed_execution(had_begun=False, count=3, version=1)
    store.observe_execution(three, now=NOW)
    once = failed_execution("once", workflow_id="other", had_begun=False, count=1)
    store.observe_execution(once, now=NOW)
    at_work = failed_execution("at-work", workflow_id="third", had_begun=True, number=1)
    store.observe_execution(at_work, now=NOW)
    assert store.endings.most_failures() == 3
    cleared = failed_execution(had_begun=False, count=3, cleared="jane", version=2)
    store.observe_execution(cleared, now=NOW)
    assert store.endings.most_failures() == 1


def test_a_success_after_failures_ends_the_row(store: Store) -> None:
    store.observe_execution(failed_execution(had_begun=False, count=4), now=NOW)
    store.observe_run(finished_run("mine", completed_at=ago(minutes=1)), now=NOW)
    assert store.endings.most_failures() == 0


def test_it_outlives_the_cooldown(store: Store) -> None:
    store.observe_execution(failed_execution(number=1, completed_at=ago(days=9)), now=NOW)
    store.targets.forget_ends(NOW)
    assert blocks(store)


def test_a_clear_and_its_withdrawal_are_taken_in(store: Store) -> None:
    store.observe_execution(failed_execution(number=1, version=1), now=NOW)
    assert blocks(store)
    store.observe_execution(failed_execution(number=1, cleared="jane", version=2), now=NOW)
    assert not blocks(store)
    store.observe_execution(failed_execution(number=1, cleared="jane", version=1), now=NOW)
    store.observe_execution(failed_execution(number=1, version=3), now=NOW)
    assert blocks(store)


def test_a_status_that_somebody_has_edited_counts_as_it_is_now(store: Store) -> None:
    store.observe_execution(failed_execution(had_begun=False, count=5, version=1), now=NOW)
    store.observe_execution(failed_execution(had_begun=False, count=1, version=2), now=NOW)
    newest = store.endings.newest(TARGET, "restart")
    assert newest is not None
    assert newest.failures == 1


def test_a_clear_on_a_run_that_was_let_go_is_taken_in(store: Store) -> None:
    store.observe_run(failed_run(version=1), now=NOW)
    store.observe_execution(failed_execution(number=1), now=NOW)
    assert store.runs() == []
    store.observe_run(replace(failed_run(version=2), is_cleared=True, has_stopped=False), now=NOW)
    assert not blocks(store)


def test_what_a_look_at_its_tasks_has_shown_is_kept(store: Store) -> None:
    store.endings.note_run(failed_run(has_started=False), NOW)
    store.endings.note_run(failed_run(), NOW)
    assert not blocks(store)


def test_what_nothing_tells_of_any_more_is_dropped_by_a_full_list(store: Store) -> None:
    store.observe_execution(failed_execution(number=1), now=NOW)
    store.observe_run(failed_run(), now=NOW)
    store.endings.begin_listing()
    store.observe_run(failed_run(), now=NOW)
    store.endings.end_listing()
    assert blocks(store)
    store.endings.begin_listing()
    store.endings.end_listing()
    assert len(store.endings) == 0


def test_an_older_end_does_not_keep_a_newer_one_that_is_gone(store: Store) -> None:
    old = failed_execution("old", completed_at=ago(hours=1))
    store.observe_execution(failed_execution("new"), now=NOW)
    store.endings.begin_listing()
    store.observe_execution(old, now=NOW)
    store.endings.end_listing()
    assert len(store.endings) == 0


def test_retention_leaves_what_a_guard_rests_on(store: Store) -> None:
    execution, run = failed_execution(number=1), failed_run()
    store.observe_execution(execution, now=NOW)
    store.observe_run(run, now=NOW)
    other = failed_execution("other", completed_at=ago(hours=1))
    assert store.endings.rest_on_execution(execution)
    assert store.endings.rest_on_run(run)
    assert not store.endings.rest_on_execution(other)
    assert not store.endings.rest_on_run(failed_run(number=7))

    later = finished_run("later", number=2, completed_at=ago(minutes=6))
    store.observe_run(later, now=NOW)
    assert not store.endings.rest_on_execution(execution)
    assert not store.endings.rest_on_run(run)
    assert not store.endings.rest_on_run(later)


def test_retention_removes_what_was_cleared(store: Store) -> None:
    execution = failed_execution(cleared="jane")
    store.observe_execution(execution, now=NOW)
    assert not store.endings.rest_on_execution(execution)
    assert execution.phase is Phase.FAILED


def test_failures_within_one_second_are_in_the_order_of_their_count(store: Store) -> None:
    for name, count in (("z", 1), ("a", 2), ("m", 3)):
        item = failed_execution(name, had_begun=False, count=count)
        store.observe_execution(item, now=NOW)
    newest = store.endings.newest(TARGET, "restart")
    assert newest is not None
    assert newest.failures == 3
