"""The order of all checks: where several have an answer, which one is given."""

import pytest

from builders import (
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
from workflowexecution.core.decision import CHECKS, Snapshot, decide
from workflowexecution.core.verdict import (
    DropOldFinalizer,
    FindRun,
    Launch,
    Nothing,
    Refuse,
    ReportRun,
    Skip,
    Verdict,
)

OWN = make_run("mine", number=5)
BUSY = make_run("holder", number=3)
COOLING = finished_run("past", number=2, completed_at=ago(minutes=1))
RUNS = [COOLING, BUSY, OWN]
NAMED = names.run_name(TARGET, 9)


def test_the_order_of_the_checks() -> None:
    assert [check.__name__ for check in CHECKS] == [
        "_has_an_old_finalizer",
        "_has_ended",
        "_has_outlasted_its_time_limit",
        "_has_lost_its_run",
        "_has_its_run",
        "_has_a_run_nobody_has_seen",
        "_is_being_deleted",
        "_cannot_be_run",
        "_target_is_busy",
        "_failed_at_work_before",
        "_has_no_retries_left",
        "_target_is_cooling_down",
        "_is_held",
    ]


OLD = (identity.OLD_FINALIZER,)


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        pytest.param(
            make_snapshot(
                make_execution(
                    phase=Phase.FAILED, number=9, completed_at=ago(minutes=1), finalizers=OLD
                ),
                runs=RUNS,
                problem="wrong",
            ),
            DropOldFinalizer(),
            id="an-old-finalizer-comes-before-everything",
        ),
        pytest.param(
            make_snapshot(
                make_execution(phase=Phase.FAILED, number=9, completed_at=ago(minutes=1)),
                runs=RUNS,
                problem="wrong",
            ),
            Nothing(),
            id="having-ended-comes-before-its-run",
        ),
        pytest.param(
            make_snapshot(
                make_execution(phase=Phase.RUNNING, number=9, deleted_at=NOW),
                runs=[COOLING, OWN],
                problem="wrong",
            ),
            ReportRun(OWN),
            id="its-run-comes-before-the-run-its-status-names-and-before-deletion",
        ),
        pytest.param(
            make_snapshot(
                make_execution(phase=Phase.RUNNING, number=9, deleted_at=NOW),
                runs=[COOLING, BUSY],
                problem="wrong",
            ),
            FindRun(NAMED, RUN_NAMESPACE),
            id="a-run-to-be-found-comes-before-a-problem-and-before-deletion",
        ),
        pytest.param(
            make_snapshot(make_execution(deleted_at=NOW), runs=[COOLING, BUSY], problem="wrong"),
            Nothing(),
            id="deletion-comes-before-a-problem-and-other-runs",
        ),
        pytest.param(
            make_snapshot(runs=[COOLING, BUSY], problem="wrong"),
            Refuse("wrong"),
            id="a-problem-comes-before-a-busy-target",
        ),
        pytest.param(
            make_snapshot(runs=[COOLING], problem="wrong"),
            Refuse("wrong"),
            id="a-problem-comes-before-the-cooldown",
        ),
        pytest.param(
            make_snapshot(problem="wrong"), Refuse("wrong"), id="a-problem-comes-before-launching"
        ),
    ],
)
def test_the_first_check_with_an_answer_gives_it(snapshot: Snapshot, expected: Verdict) -> None:
    assert decide(snapshot) == expected


def test_busy_comes_before_the_cooldown_and_both_before_launching() -> None:
    busy, cooling, free = (
        decide(make_snapshot(runs=runs)) for runs in ([COOLING, BUSY], [COOLING], [])
    )
    assert isinstance(busy, Skip)
    assert busy.reason is SkipReason.RESOURCE_BUSY
    assert isinstance(cooling, Skip)
    assert cooling.reason is SkipReason.RECENTLY_REMEDIATED
    assert free == Launch(names.run_name(TARGET, 1))
