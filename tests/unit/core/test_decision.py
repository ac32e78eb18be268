"""Each check of the decision alone: what it answers, and what it leaves to the next."""

from typing import Any

import pytest

from builders import (
    NAMESPACE,
    NOW,
    TARGET,
    ago,
    finished_run,
    make_execution,
    make_run,
    make_snapshot,
)
from workflowexecution.api.status import Phase, SkipReason
from workflowexecution.core import names
from workflowexecution.core.decision import decide
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.verdict import (
    Cancel,
    Evidence,
    Lost,
    Mirror,
    Nothing,
    Refuse,
    Release,
    Skip,
    Stop,
    Verdict,
    Yield,
)

STOPPED: dict[str, Any] = {
    "succeeded": "False",
    "reason": "Cancelled",
    "completed_at": ago(minutes=1),
}


def slot(number: int, target: str = TARGET) -> str:
    return names.slot_name(target, number)


@pytest.mark.parametrize(
    ("execution", "runs", "expected"),
    [
        pytest.param(
            make_execution(deleted_at=NOW, finalizers=("somebody.else/guard",)),
            [make_run("mine")],
            Nothing(),
            id="leaves-a-deleted-execution-that-waits-for-others",
        ),
        pytest.param(
            make_execution(deleted_at=NOW),
            [make_run("mine")],
            Cancel(make_run("mine")),
            id="cancels-the-active-run-of-a-deleted-execution",
        ),
        pytest.param(
            make_execution(deleted_at=NOW),
            [make_run("mine", **STOPPED)],
            Cancel(make_run("mine", **STOPPED)),
            id="waits-for-the-tasks-of-a-cancelled-run",
        ),
        pytest.param(
            make_execution(deleted_at=NOW),
            [make_run("mine", has_stopped=True, **STOPPED)],
            Release(),
            id="releases-once-the-cancelled-run-has-stopped",
        ),
        pytest.param(
            make_execution(deleted_at=NOW),
            [finished_run("mine")],
            Release(),
            id="releases-when-the-run-succeeded",
        ),
        pytest.param(
            make_execution(deleted_at=NOW),
            [make_run("other")],
            Release(),
            id="never-touches-the-run-of-another-when-deleted",
        ),
        pytest.param(
            make_execution(
                deleted_at=NOW, phase=Phase.COMPLETED, slot=1, completed_at=ago(minutes=9)
            ),
            [],
            Release(),
            id="releases-an-ended-execution-whose-run-is-gone",
        ),
    ],
)
def test_deletion_comes_to_its_end(
    execution: Execution, runs: list[Run], expected: Verdict
) -> None:
    assert decide(make_snapshot(execution, runs=runs)) == expected


@pytest.mark.parametrize(
    ("execution", "runs", "expected"),
    [
        pytest.param(
            make_execution(phase=Phase.SKIPPED, completed_at=NOW),
            [],
            Nothing(),
            id="skipped-stays-skipped",
        ),
        pytest.param(
            make_execution(phase=Phase.COMPLETED, slot=1, completed_at=NOW),
            [make_run("mine")],
            Nothing(),
            id="completed-stays-completed",
        ),
        pytest.param(
            make_execution(phase=Phase.FAILED, completed_at=NOW),
            [],
            Nothing(),
            id="failed-stays-failed",
        ),
        pytest.param(
            make_execution(),
            [make_run("mine")],
            Mirror(make_run("mine")),
            id="takes-up-a-run-made-before-a-restart",
        ),
        pytest.param(
            make_execution(phase=Phase.RUNNING, slot=1),
            [finished_run("mine")],
            Mirror(finished_run("mine")),
            id="mirrors-its-finished-run",
        ),
        pytest.param(
            make_execution(),
            [make_run("mine", slot=3), make_run("mine", slot=2)],
            Mirror(make_run("mine", slot=2)),
            id="takes-up-the-first-where-there-were-two",
        ),
        pytest.param(
            make_execution(phase=Phase.RUNNING, slot=1),
            [],
            Lost(slot(1)),
            id="misses-the-run-its-status-names",
        ),
        pytest.param(
            make_execution(phase=Phase.RUNNING, slot=1),
            [make_run(None, target=None)],
            Lost(slot(1)),
            id="never-adopts-a-foreign-run-under-its-run-name",
        ),
        pytest.param(
            make_execution("mine", uid="uid-of-the-second"),
            [make_run("mine")],
            Skip(
                SkipReason.RESOURCE_BUSY,
                Evidence(
                    name="mine",
                    namespace=NAMESPACE,
                    workflow_id="restart",
                    target=TARGET,
                    run_name=slot(1),
                    started_at=ago(minutes=10),
                ),
            ),
            id="a-namesake-is-not-its-owner",
        ),
    ],
)
def test_what_an_execution_already_has_decides(
    execution: Execution, runs: list[Run], expected: Verdict
) -> None:
    assert decide(make_snapshot(execution, runs=runs)) == expected


def test_refuses_what_cannot_be_run() -> None:
    snapshot = make_snapshot(problem="spec.targetResource: wrong")
    assert decide(snapshot) == Refuse("spec.targetResource: wrong")


YOUNG, OLD = ago(minutes=1), ago(minutes=2)


@pytest.mark.parametrize(
    ("mine", "other", "gives_way"),
    [
        pytest.param({}, {"created_at": OLD}, True, id="to-the-older"),
        pytest.param({"slot": 2}, {"created_at": YOUNG, "slot": 1}, True, id="by-name-in-a-tie"),
        pytest.param({"created_at": ago(minutes=3)}, {"created_at": OLD}, False, id="the-older"),
        pytest.param({"spec": {"status": "Cancelled"}}, {"created_at": OLD}, False, id="only-once"),
        pytest.param(
            {}, {"created_at": OLD, "target": "other/Deployment/x"}, False, id="another-target"
        ),
        pytest.param({}, {"created_at": OLD, **STOPPED}, False, id="to-none-that-has-ended"),
    ],
)
def test_of_two_runs_on_one_target_the_younger_gives_way(
    mine: dict[str, Any], other: dict[str, Any], gives_way: bool
) -> None:
    own = make_run("mine", **{"created_at": YOUNG, "slot": 1, **mine})
    holder = make_run("other", **{"slot": 2 if own.slot_number == 1 else 1, **other})
    for runs in ([own, holder], [holder, own]):
        verdict = decide(make_snapshot(runs=runs))
        assert isinstance(verdict, Yield if gives_way else Mirror)
        assert verdict.run == own


@pytest.mark.parametrize(
    ("run", "stops"),
    [
        pytest.param({}, True, id="active"),
        pytest.param({"spec": {"status": "Cancelled"}}, False, id="being-cancelled"),
        pytest.param(STOPPED, False, id="ended"),
    ],
)
def test_a_run_that_comes_after_its_execution_was_skipped_is_stopped(
    run: dict[str, Any], stops: bool
) -> None:
    skipped = make_execution(phase=Phase.SKIPPED, completed_at=ago(minutes=1))
    own = make_run("mine", **run)
    expected = Stop(own) if stops else Nothing()
    assert decide(make_snapshot(skipped, runs=[own])) == expected
