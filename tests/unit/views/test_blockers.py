"""Locks and cooldowns name what keeps a workflow from a target."""

from datetime import datetime, timedelta

import pytest

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
from workflowexecution.api.status import Phase, SkipReason
from workflowexecution.cache.store import Store
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.leftovers import Leftovers
from workflowexecution.core.facts.pod import Pod
from workflowexecution.core.facts.run import Run, RunState
from workflowexecution.core.guards import Guards
from workflowexecution.core.policy import Rules
from workflowexecution.views.blockers import Cooldown, cooldowns_of, locks_of, newest_ends
from workflowexecution.views.preview import Facts, store_of

POD = Pod(
    name="p", namespace="runs", uid="u", node="", is_active=True, has_started=True, deadline=None
)
FIVE = timedelta(minutes=5)
GUARDED = Rules(FIVE, Guards(failed=True, retry_limit=3, first_pause=timedelta(minutes=4)))


def known(*seen: Execution | Run, now: datetime = NOW) -> Store:
    """A cache with these objects."""
    executions = tuple(item for item in seen if isinstance(item, Execution))
    runs = tuple(item for item in seen if isinstance(item, Run))
    return store_of(Facts(executions=executions, runs=runs), RUN_NAMESPACE, now)


def cooling(store: Store, rules: Rules | None = None, now: datetime = NOW) -> list[Cooldown]:
    """The cooldowns, by default without guards."""
    return cooldowns_of(store, lambda _: rules or Rules(FIVE, Guards()), now)


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
    found = cooling(known(last, refused, first, other, older, make_run("active", number=4)))
    assert [(item.execution, item.outcome, item.remaining) for item in found] == [
        ("team-a/last", "Failed", timedelta(minutes=3)),
        ("team-a/other", "Completed", timedelta(minutes=4)),
    ]


def test_a_failure_that_a_person_has_cleared_is_no_cooldown() -> None:
    cleared = failed_execution(number=1, cleared="jane: looked", completed_at=ago(minutes=2))
    run = make_run(
        "failed", number=1, succeeded="False", completed_at=ago(minutes=2), has_stopped=True
    )
    assert [end.name for end in newest_ends(known(run))] == ["failed"]
    assert newest_ends(known(cleared, run)) == []
    assert cooling(known(cleared, run), GUARDED) == []


def test_a_cooldown_ends_exactly_when_it_is_over() -> None:
    end = finished_run(completed_at=ago(minutes=5))
    assert cooling(known(end)) == []
    just_before = NOW - timedelta(microseconds=1)
    assert len(cooling(known(end, now=just_before), now=just_before)) == 1


def test_the_last_end_counts_for_every_spelling_of_a_target() -> None:
    first = finished_run("first", number=1, completed_at=ago(minutes=4))
    odd = "payment/deployment/payment-api"
    last = finished_run("last", number=2, target=odd, completed_at=ago(minutes=2))
    (found,) = newest_ends(known(first, last))
    assert (found.name, found.target) == ("last", odd)


def test_a_failure_at_work_waits_for_a_person_where_the_guard_is_on() -> None:
    failed = failed_execution(number=1, completed_at=ago(minutes=2))
    assert [(item.reason, item.remaining) for item in cooling(known(failed))] == [
        (SkipReason.RECENTLY_REMEDIATED, timedelta(minutes=3))
    ]
    (item,) = cooling(known(failed), GUARDED)
    assert (item.reason, item.until) == (SkipReason.PREVIOUS_EXECUTION_FAILED, None)
    long_ago = failed_execution(number=1, completed_at=ago(minutes=200))
    assert cooling(known(long_ago)) == []
    assert len(cooling(known(long_ago), GUARDED)) == 1
    assert cooldowns_of(known(failed), lambda _: None, NOW) == []


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        (1, [(SkipReason.RECENTLY_REMEDIATED, timedelta(minutes=2))]),
        (2, [(SkipReason.RECENTLY_REMEDIATED, timedelta(minutes=6))]),
        (3, [(SkipReason.EXHAUSTED_RETRIES, None)]),
    ],
)
def test_failures_before_the_first_step_pause_it_and_then_wait_for_a_person(
    failures: int, expected: list[tuple[SkipReason, timedelta | None]]
) -> None:
    """No run was made, so that no cooldown runs."""
    failed = failed_execution(had_begun=False, completed_at=ago(minutes=2), count=failures)
    assert cooling(known(failed)) == []
    found = cooling(known(failed), GUARDED)
    assert [(item.reason, item.remaining) for item in found] == expected


def test_what_waits_for_a_person_comes_after_what_ends_by_itself() -> None:
    failed = failed_execution(number=1, completed_at=ago(minutes=200))
    good = finished_run("good", number=2, workflow_id="scale", completed_at=ago(minutes=1))
    found = cooling(known(failed, good), GUARDED)
    assert [item.workflow_id for item in found] == ["scale", failed.workflow_id]
