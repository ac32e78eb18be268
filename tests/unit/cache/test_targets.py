"""The facts of one target stay apart from those of another with the same key."""

from datetime import timedelta

from builders import NOW, RUN_NAMESPACE, TARGET, ago, finished_run, make_execution, make_run
from workflowexecution.api.status import Phase
from workflowexecution.cache.targets import Target
from workflowexecution.core import evidence


def test_only_others_on_this_very_target_whose_run_was_not_seen_are_unseen() -> None:
    mine = make_execution("mine", number=1)
    seen = make_execution("seen", phase=Phase.RUNNING, number=2)
    unseen = make_execution("unseen", phase=Phase.RUNNING, number=3)
    elsewhere = make_execution("elsewhere", phase=Phase.RUNNING, number=4, target="Node/worker-1")
    run = make_run("seen", number=2)
    known = (mine, seen, unseen, elsewhere)
    target = Target(executions={one.uid: one for one in known}, runs={run.key: run})
    assert target.unseen_beside(mine) == (unseen,)


def test_of_each_workflow_the_newest_end_is_kept_in_any_order() -> None:
    older = evidence.end_of_run(finished_run("older", completed_at=ago(minutes=9)), NOW)
    newer = evidence.end_of_run(finished_run("newer", completed_at=ago(minutes=2)), NOW)
    for order in ((older, newer), (newer, older)):
        target = Target()
        for end in (*order, None):
            target.note_end(end)
        assert target.ends_on(TARGET) == (newer,)


def test_an_end_on_another_target_of_the_same_key_is_not_told() -> None:
    target = Target()
    target.note_end(evidence.end_of_run(finished_run(), NOW))
    assert target.ends_on("Node/worker-1") == ()


def test_an_end_that_names_no_target_counts_for_the_one_that_asks() -> None:
    target = Target()
    target.note_end(evidence.end_of_run(finished_run(target=None), NOW))
    (end,) = target.ends_on(TARGET)
    assert (end.target, end.run_namespace) == (TARGET, RUN_NAMESPACE)


def test_ends_that_no_cooldown_reaches_are_dropped() -> None:
    target = Target()
    target.note_end(evidence.end_of_run(finished_run(completed_at=ago(minutes=5)), NOW))
    target.forget_ends(NOW - timedelta(minutes=5))
    assert target.ends
    target.forget_ends(NOW - timedelta(minutes=4))
    assert target == Target()
