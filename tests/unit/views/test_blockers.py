"""Who holds what, and what may not run again yet."""

from datetime import timedelta

from builders import (
    NOW,
    RUN_NAMESPACE,
    TARGET,
    ago,
    failed_execution,
    finished_run,
    make_execution,
    make_run,
)
from workflowexecution.api.status import Phase
from workflowexecution.core.facts.leftovers import Leftovers
from workflowexecution.core.facts.pod import Pod
from workflowexecution.core.facts.run import RunState
from workflowexecution.views.blockers import cooldowns_of, locks_of, newest_ends

POD = Pod(
    name="p", namespace="runs", uid="u", node="", is_active=True, has_started=True, deadline=None
)
FIVE = timedelta(minutes=5)


def test_only_what_is_not_finished_holds_a_target() -> None:
    failed = make_run("failed", number=2, succeeded="False", completed_at=ago(minutes=1))
    stopped = make_run(
        "stopped", number=3, succeeded="False", completed_at=ago(minutes=1), has_stopped=True
    )
    active = make_run("active", number=4, started_at=ago(minutes=1))
    runs = (finished_run(), active, failed, stopped)
    locks = locks_of((), runs, {failed.key: Leftovers(pods=(POD,))})
    assert [(lock.holder, lock.state, lock.executing) for lock in locks] == [
        ("team-a/failed", RunState.STOPPING, "pod runs/p"),
        ("team-a/active", RunState.ACTIVE, "Running"),
    ]


def test_a_run_that_nobody_has_seen_holds_its_target_by_the_word_of_its_execution() -> None:
    told = make_execution("told", phase=Phase.RUNNING, number=7, started_at=ago(minutes=1))
    over = make_execution("over", phase=Phase.COMPLETED, number=6, completed_at=NOW)
    (lock,) = locks_of((told, over), (), {})
    assert (lock.target, lock.holder, lock.state) == (TARGET, "team-a/told", "Unseen")
    assert lock.run.startswith(f"{RUN_NAMESPACE}/wfe-")
    seen = make_run("told", number=7)
    assert [lock.state for lock in locks_of((told,), (seen,), {})] == ["Active"]


def test_a_run_made_by_hand_is_named_itself() -> None:
    by_hand = make_run(None, name="by-hand", workflow_id=None)
    (lock,) = locks_of((), (by_hand,), {})
    assert (lock.holder, lock.workflow_id) == (f"{RUN_NAMESPACE}/by-hand", "unknown")


def test_the_last_end_of_a_workflow_starts_its_cooldown_whichever_tells_of_it() -> None:
    first = finished_run("first", number=1, completed_at=ago(minutes=4))
    last = make_execution(
        "last", phase=Phase.FAILED, number=2, started_at=ago(minutes=3), completed_at=ago(minutes=2)
    )
    other = finished_run("other", number=3, workflow_id="scale", completed_at=ago(minutes=1))
    older = finished_run("older", number=5, workflow_id="scale", completed_at=ago(minutes=3))
    refused = make_execution("refused", phase=Phase.FAILED, completed_at=ago(minutes=1))
    ends = newest_ends([last, refused], [first, other, older, make_run("active", number=4)], NOW)
    found = cooldowns_of(ends, lambda _: FIVE, NOW)
    assert [(item.execution, item.outcome, item.remaining) for item in found] == [
        ("team-a/last", "Failed", timedelta(minutes=3)),
        ("team-a/other", "Completed", timedelta(minutes=4)),
    ]


def test_a_failure_that_a_person_has_cleared_is_no_cooldown() -> None:
    cleared = failed_execution(number=1, cleared="jane: looked", completed_at=ago(minutes=2))
    run = make_run(
        "failed", number=1, succeeded="False", completed_at=ago(minutes=2), has_stopped=True
    )
    assert [end.name for end in newest_ends([], [run], NOW)] == ["failed"]
    assert newest_ends([cleared], [run], NOW) == []


def test_a_cooldown_ends_exactly_when_it_is_over() -> None:
    end = finished_run(completed_at=ago(minutes=5))
    assert cooldowns_of(newest_ends([], [end], NOW), lambda _: FIVE, NOW) == []
    just_before = NOW - timedelta(microseconds=1)
    assert len(cooldowns_of(newest_ends([], [end], just_before), lambda _: FIVE, just_before)) == 1


def test_the_last_end_counts_for_every_spelling_of_a_target() -> None:
    first = finished_run("first", number=1, completed_at=ago(minutes=4))
    odd = "payment/deployment/payment-api"
    last = finished_run("last", number=2, target=odd, completed_at=ago(minutes=2))
    (found,) = newest_ends([], [first, last], NOW)
    assert (found.name, found.target) == ("last", odd)
