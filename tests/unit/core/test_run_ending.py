"""Each run is ended in one way after the other, also a run of another author."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from builders import NOW, TARGET, ago, finished_run, make_run, make_task_run, raw_task_run
from workflowexecution.core.evidence import holder_of
from workflowexecution.core.facts.leftovers import Leftovers
from workflowexecution.core.facts.pipeline import ChildKinds
from workflowexecution.core.facts.pod import Pod
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import ChildKind, parse_child
from workflowexecution.core.run_ending import (
    BeginAgain,
    EndPods,
    EndReason,
    EndRun,
    LeaveRun,
    OwnerState,
    ReadLeftovers,
    ReadOwner,
    RunHasStopped,
    RunSnapshot,
    RunVerdict,
    Tried,
    WaitForLeftovers,
    Way,
    check_interval,
    decide_run,
)

FAILED: dict[str, Any] = {
    "succeeded": "False",
    "reason": "Failed",
    "completed_at": ago(minutes=1),
}
CANCELLED: dict[str, Any] = {"spec": {"status": "Cancelled"}}
RIVAL = holder_of(make_run("older", number=2, created_at=ago(minutes=20)), TARGET)
GONE = make_run("mine", is_gone=True)
LINGERING = replace(
    finished_run("mine"), children=ChildKinds(may_outlast=True, custom_runs=False, runs=False)
)
WAITS = parse_child(raw_task_run("approve", "Unknown"), ChildKind.CUSTOM_RUN)


def a_pod(name: str = "pod", *, started: bool = True, deadline: datetime | None = None) -> Pod:
    return Pod(
        name=name,
        namespace="runs",
        uid=f"uid-of-{name}",
        node="node-1",
        is_active=True,
        has_started=started,
        deadline=deadline,
    )


def snapshot(run: Run, **given: Any) -> RunSnapshot:
    facts: dict[str, Any] = {
        "owner": OwnerState.ACTIVE,
        "rival": None,
        "tried": {},
        "leftovers": None,
        "checks": 1,
        "unfinished_for": timedelta(0),
        "cancel_grace": timedelta(minutes=2),
        "leftover_grace": timedelta(seconds=30),
        "now": NOW,
    }
    return RunSnapshot(run=run, **{**facts, **given})


@pytest.mark.parametrize(
    ("run", "given", "expected"),
    [
        pytest.param(make_run("mine"), {}, LeaveRun(), id="wanted"),
        pytest.param(make_run(None), {"owner": OwnerState.FOREIGN}, LeaveRun(), id="foreign"),
        pytest.param(
            make_run(None),
            {"owner": OwnerState.FOREIGN, "rival": RIVAL},
            LeaveRun(),
            id="foreign-beside-ours",
        ),
        pytest.param(
            make_run("mine"), {"owner": OwnerState.UNKNOWN}, ReadOwner(), id="owner-unknown"
        ),
        pytest.param(
            make_run("mine"),
            {"owner": OwnerState.DELETED},
            EndRun(Way.CANCEL, EndReason.EXECUTION_DELETED),
            id="owner-deleted",
        ),
        pytest.param(
            make_run("mine"),
            {"owner": OwnerState.ENDED},
            EndRun(Way.CANCEL, EndReason.EXECUTION_ENDED),
            id="owner-ended",
        ),
        pytest.param(
            make_run("mine"),
            {"rival": RIVAL},
            EndRun(Way.CANCEL, EndReason.SECOND_ON_TARGET, RIVAL),
            id="second-on-its-target",
        ),
        pytest.param(
            make_run(None, **CANCELLED),
            {"owner": OwnerState.FOREIGN, "tried": {Way.CANCEL: Tried(ago=timedelta(minutes=9))}},
            LeaveRun(),
            id="foreign-never-deleted",
        ),
        pytest.param(
            make_run("mine", spec={"status": "StoppedRunFinally"}),
            {},
            LeaveRun(),
            id="ends-by-itself",
        ),
        pytest.param(finished_run("mine"), {"owner": OwnerState.DELETED}, LeaveRun(), id="over"),
    ],
)
def test_an_active_run(run: Run, given: dict[str, Any], expected: RunVerdict) -> None:
    assert decide_run(snapshot(run, **given)) == expected


JUST, LATER = timedelta(0), timedelta(seconds=119)
GRACE = timedelta(minutes=2)
NO = Tried(ago=JUST, refusal="400: no", is_final=True)


def asked_for(way: str = "", *, rolls_back: bool = False, **given: Any) -> Run:
    """A run that is active, whose end was asked for in these words."""
    return replace(make_run("mine", spec={"status": way}, **given), has_finally=rolls_back)


def end_in(way: Way, reason: EndReason = EndReason.EXECUTION_DELETED) -> EndRun:
    return EndRun(way, reason)


@pytest.mark.parametrize(
    ("run", "tried", "expected"),
    [
        pytest.param(asked_for(), {}, end_in(Way.CANCEL), id="first-it-is-cancelled"),
        pytest.param(
            asked_for(rolls_back=True), {}, end_in(Way.CANCEL_FIRST), id="with-its-rollback"
        ),
        pytest.param(
            asked_for(),
            {Way.CANCEL: Tried(ago=GRACE, refused_for=LATER, refusal="503: later")},
            end_in(Way.CANCEL),
            id="tried-again-where-that-may-help",
        ),
        pytest.param(
            asked_for(),
            {Way.CANCEL: Tried(ago=GRACE, refused_for=GRACE, refusal="503: later")},
            end_in(Way.DELETE),
            id="but-not-for-ever",
        ),
        pytest.param(
            asked_for(), {Way.CANCEL: NO}, end_in(Way.DELETE), id="refused-for-good-deleted-at-once"
        ),
        pytest.param(
            asked_for(rolls_back=True),
            {Way.CANCEL_FIRST: NO},
            end_in(Way.CANCEL),
            id="no-rollback-then",
        ),
        pytest.param(
            asked_for("CancelledRunFinally", rolls_back=True),
            {Way.CANCEL_FIRST: Tried(ago=LATER)},
            LeaveRun(timedelta(seconds=1)),
            id="the-rollback-has-its-time",
        ),
        pytest.param(
            asked_for("CancelledRunFinally"),
            {Way.CANCEL_FIRST: Tried(ago=GRACE)},
            end_in(Way.CANCEL, EndReason.CANCELLED),
            id="and-no-more",
        ),
        pytest.param(
            asked_for("Cancelled", rolls_back=True),
            {Way.CANCEL: Tried(ago=LATER)},
            LeaveRun(timedelta(seconds=1)),
            id="cancelled-only-once",
        ),
        pytest.param(
            asked_for("Cancelled"),
            {Way.CANCEL: Tried(ago=GRACE)},
            end_in(Way.DELETE, EndReason.CANCELLED),
            id="deleted-where-tekton-does-not-end-it",
        ),
        pytest.param(
            asked_for(),
            {Way.CANCEL: NO, Way.DELETE: replace(NO, ago=LATER)},
            LeaveRun(timedelta(seconds=1)),
            id="nobody-ends-it",
        ),
        pytest.param(
            asked_for(),
            {Way.CANCEL: NO, Way.DELETE: replace(NO, ago=GRACE)},
            BeginAgain(),
            id="from-the-beginning",
        ),
    ],
)
def test_the_ways_to_end_a_run(run: Run, tried: dict[Way, Tried], expected: RunVerdict) -> None:
    assert decide_run(snapshot(run, owner=OwnerState.DELETED, tried=tried)) == expected


def test_pods_are_the_last_way_for_a_run_that_tekton_was_told_to_end() -> None:
    tried = {Way.CANCEL: Tried(ago=GRACE), Way.DELETE: replace(NO, ago=LATER)}
    told, pods = asked_for("Cancelled"), Leftovers(pods=(BEGUN, FRESH))
    end_pods = EndPods(pods=(FRESH, BEGUN), stuck=(), again_after=timedelta(seconds=1))

    def decided(run: Run, leftovers: Leftovers | None = None) -> RunVerdict:
        given = {"owner": OwnerState.DELETED, "tried": tried, "leftovers": leftovers}
        return decide_run(snapshot(run, **given))

    assert decided(told) == ReadLeftovers()
    assert decided(told, pods) == end_pods
    # Tekton makes them again, and their steps begin anew.
    failing = replace(told, reason="PipelineRunCouldntCancel")
    assert decided(failing, pods) == LeaveRun(timedelta(seconds=1))


FRESH = a_pod("fresh", started=False)
BEGUN = a_pod("begun")
STUCK = a_pod("stuck", deadline=NOW - timedelta(seconds=30))
ENDING = a_pod("ending", deadline=NOW - timedelta(seconds=29))
LEFT = Leftovers(pods=(BEGUN, FRESH))
OVERDUE = timedelta(seconds=30)


@pytest.mark.parametrize(
    ("run", "given", "expected"),
    [
        pytest.param(make_run("mine", **FAILED), {}, ReadLeftovers(), id="is-looked-at"),
        pytest.param(
            make_run("mine", **FAILED),
            {"leftovers": Leftovers()},
            RunHasStopped(),
            id="has-stopped-where-nothing-is-left",
        ),
        pytest.param(
            make_run("mine", **FAILED),
            {"leftovers": Leftovers(task_runs=(make_task_run(succeeded="Unknown"),))},
            WaitForLeftovers(check_interval(1)),
            id="waits-for-a-task",
        ),
        pytest.param(
            make_run("mine", **FAILED),
            {"leftovers": LEFT, "unfinished_for": timedelta(seconds=29.5)},
            WaitForLeftovers(timedelta(seconds=0.5)),
            id="never-waits-beyond-the-grace",
        ),
        pytest.param(
            make_run("mine", **FAILED),
            {"leftovers": LEFT, "unfinished_for": OVERDUE},
            EndPods(pods=(FRESH, BEGUN), stuck=(), again_after=check_interval(1)),
            id="ends-first-what-never-started",
        ),
        pytest.param(
            make_run("mine", **FAILED),
            {"leftovers": Leftovers(pods=(STUCK, ENDING)), "unfinished_for": OVERDUE},
            EndPods(pods=(), stuck=(STUCK,), again_after=check_interval(1)),
            id="deletes-a-pod-once-and-tells-of-one-that-cannot-be-ended",
        ),
        pytest.param(
            make_run(None, **FAILED),
            {"leftovers": LEFT, "unfinished_for": OVERDUE, "owner": OwnerState.FOREIGN},
            EndPods(pods=(FRESH, BEGUN), stuck=(), again_after=check_interval(1)),
            id="of-a-run-that-is-foreign-too",
        ),
        pytest.param(
            GONE,
            {"leftovers": Leftovers(), "unfinished_for": timedelta(seconds=4)},
            WaitForLeftovers(timedelta(seconds=1)),
            id="gone-a-task-may-just-begin",
        ),
        pytest.param(
            GONE,
            {"leftovers": Leftovers(), "unfinished_for": timedelta(seconds=5)},
            RunHasStopped(),
            id="gone-for-long-enough",
        ),
        pytest.param(
            replace(GONE, uid=""),
            {"leftovers": Leftovers()},
            RunHasStopped(),
            id="nobody-has-seen-it",
        ),
        pytest.param(LINGERING, {}, ReadLeftovers(), id="succeeded"),
        pytest.param(
            LINGERING,
            {"leftovers": LEFT, "unfinished_for": timedelta(seconds=29.5)},
            WaitForLeftovers(timedelta(seconds=0.5)),
            id="succeeded-and-a-sidecar-works",
        ),
        pytest.param(
            LINGERING, {"leftovers": Leftovers()}, RunHasStopped(), id="succeeded-and-nothing"
        ),
        pytest.param(
            replace(LINGERING, is_deleting=True),
            {"leftovers": Leftovers()},
            RunHasStopped(),
            id="succeeded-and-being-deleted",
        ),
        pytest.param(
            make_run("mine", **FAILED),
            {"leftovers": Leftovers(task_runs=(WAITS,)), "unfinished_for": OVERDUE},
            EndPods(pods=(), stuck=(), again_after=timedelta(seconds=1.3), children=(WAITS,)),
            id="a-custom-task-that-nobody-ends",
        ),
        pytest.param(
            make_run("mine", deleted_at=NOW),
            {"leftovers": Leftovers(), "unfinished_for": timedelta(seconds=4)},
            WaitForLeftovers(timedelta(seconds=1)),
            id="being-deleted-a-task-may-just-begin",
        ),
        pytest.param(
            make_run("mine", deleted_at=NOW),
            {"leftovers": Leftovers(), "unfinished_for": timedelta(seconds=5)},
            RunHasStopped(),
            id="being-deleted-for-long-enough",
        ),
    ],
)
def test_a_run_that_has_ended(run: Run, given: dict[str, Any], expected: RunVerdict) -> None:
    assert decide_run(snapshot(run, **given)) == expected


def test_checks_become_rarer_up_to_a_limit() -> None:
    intervals = [check_interval(checks) for checks in range(40)]
    assert intervals == sorted(intervals)
    assert intervals[0] == timedelta(seconds=1)
    assert intervals[-1] == timedelta(seconds=10)


def test_a_run_holds_its_target_until_it_is_known_to_have_stopped() -> None:
    run = make_run("mine", **FAILED)
    states = [run.state, replace(run, has_stopped=True).state, GONE.state]
    assert [str(state) for state in states] == ["Stopping", "Finished", "Stopping"]
