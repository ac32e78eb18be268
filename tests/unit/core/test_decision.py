"""Each check of the decision alone: what it answers, and what it leaves to the next."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from builders import (
    NAMESPACE,
    NOW,
    RUN_NAMESPACE,
    TARGET,
    ago,
    finished_run,
    make_execution,
    make_run,
    make_snapshot,
)
from workflowexecution.api import identity
from workflowexecution.api.status import Phase, SkipReason
from workflowexecution.core import names
from workflowexecution.core.decision import decide
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.verdict import (
    DropOldFinalizer,
    FindRun,
    GiveUp,
    Launch,
    Nothing,
    Refuse,
    ReportLostRun,
    ReportRun,
    Skip,
    Verdict,
)

FAILED: dict[str, Any] = {
    "succeeded": "False",
    "reason": "Cancelled",
    "completed_at": ago(minutes=1),
}
TEN_MINUTES = {"timeouts": {"pipeline": "10m0s"}}


def run_name(number: int, target: str = TARGET) -> str:
    return names.run_name(target, number)


@pytest.mark.parametrize(
    ("execution", "runs", "expected"),
    [
        pytest.param(
            make_execution(finalizers=(identity.OLD_FINALIZER,)),
            [],
            DropOldFinalizer(),
            id="takes-off-what-would-keep-it",
        ),
        pytest.param(
            make_execution(
                finalizers=("somebody.else/guard", identity.OLD_FINALIZER),
                phase=Phase.FAILED,
                completed_at=NOW,
            ),
            [],
            DropOldFinalizer(),
            id="also-of-one-that-has-ended",
        ),
        pytest.param(
            make_execution(finalizers=("somebody.else/guard",)),
            [],
            Launch(run_name(1)),
            id="leaves-the-finalizers-of-others",
        ),
        pytest.param(make_execution(deleted_at=NOW), [], Nothing(), id="never-launches-it-deleted"),
        pytest.param(
            make_execution(deleted_at=NOW),
            [make_run("mine")],
            ReportRun(make_run("mine")),
            id="reports-how-the-run-of-a-deleted-one-ends",
        ),
        pytest.param(
            make_execution(deleted_at=NOW),
            [make_run("other")],
            Nothing(),
            id="is-not-skipped-once-it-is-deleted",
        ),
    ],
)
def test_deletion_is_never_held_up(
    execution: Execution, runs: list[Run], expected: Verdict
) -> None:
    assert decide(make_snapshot(execution, runs=runs)) == expected


LOST = make_run("mine", is_gone=True, has_stopped=True)


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
            make_execution(phase=Phase.COMPLETED, number=1, completed_at=NOW),
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
            ReportRun(make_run("mine")),
            id="takes-up-a-run-made-before-a-restart",
        ),
        pytest.param(
            make_execution(phase=Phase.RUNNING, number=1),
            [finished_run("mine")],
            ReportRun(finished_run("mine")),
            id="reports-its-finished-run",
        ),
        pytest.param(
            make_execution(),
            [make_run("mine", number=3), make_run("mine", number=2)],
            ReportRun(make_run("mine", number=2)),
            id="takes-up-the-first-where-there-were-two",
        ),
        pytest.param(
            make_execution(phase=Phase.RUNNING, number=3),
            [make_run("mine", number=3), make_run("mine", number=2)],
            ReportRun(make_run("mine", number=3)),
            id="takes-up-the-one-its-status-names",
        ),
        pytest.param(
            make_execution(phase=Phase.RUNNING, number=1),
            [],
            FindRun(run_name(1), RUN_NAMESPACE),
            id="looks-for-the-run-its-status-names",
        ),
        pytest.param(
            make_execution(phase=Phase.RUNNING, number=1),
            [make_run(None, target=None)],
            FindRun(run_name(1), RUN_NAMESPACE),
            id="never-adopts-a-foreign-run-under-its-run-name",
        ),
        pytest.param(
            make_execution(phase=Phase.RUNNING, number=1),
            [make_run("mine", is_gone=True)],
            ReportRun(make_run("mine", is_gone=True)),
            id="waits-for-what-is-left-of-its-deleted-run",
        ),
        pytest.param(
            make_execution(phase=Phase.RUNNING, number=1),
            [LOST],
            ReportLostRun(LOST),
            id="reports-a-deleted-run-once-nothing-is-left",
        ),
        pytest.param(
            replace(make_execution(phase=Phase.RUNNING, number=1), run_namespace="their-runs"),
            [make_run("mine")],
            FindRun(run_name(1), "their-runs"),
            id="of-two-with-one-name-its-run-is-where-its-status-says",
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
                    run_name=run_name(1),
                    run_namespace=RUN_NAMESPACE,
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


@pytest.mark.parametrize(
    ("run", "now", "is_given_up"),
    [
        pytest.param({}, NOW + timedelta(minutes=5), True, id="when-the-grace-is-over"),
        pytest.param({}, NOW + timedelta(minutes=4, seconds=59), False, id="not-before"),
        pytest.param({"spec": {}}, NOW + timedelta(days=9), False, id="never-without-a-limit"),
        pytest.param(FAILED, NOW + timedelta(minutes=9), False, id="never-when-it-has-ended"),
    ],
)
def test_a_run_that_tekton_does_not_end_is_given_up(
    run: dict[str, Any], now: datetime, is_given_up: bool
) -> None:
    own = make_run("mine", **{"spec": TEN_MINUTES, **run})
    snapshot = make_snapshot(runs=[own], now=now)
    assert decide(snapshot) == (GiveUp(own) if is_given_up else ReportRun(own))


def test_refuses_what_cannot_be_run() -> None:
    snapshot = make_snapshot(problem="spec.targetResource: wrong")
    assert decide(snapshot) == Refuse("spec.targetResource: wrong")
