"""A person's hold: the last thing that keeps a workflow from being launched."""

from datetime import timedelta

import pytest

from builders import NOW, ago, finished_run, make_execution, make_hold, make_run, make_snapshot
from workflowexecution.api.reading import format_time
from workflowexecution.api.status import Phase
from workflowexecution.core.decision import Snapshot, decide
from workflowexecution.core.verdict import Launch, Nothing, Refuse, ReportRun, Skip, Wait

HOLD = make_hold()


def test_what_would_be_launched_waits() -> None:
    assert decide(make_snapshot(holds=[HOLD])) == Wait(HOLD)


@pytest.mark.parametrize(
    ("snapshot", "verdict"),
    [
        pytest.param(
            make_snapshot(runs=[make_run("mine")], holds=[HOLD]), ReportRun, id="what-runs-goes-on"
        ),
        pytest.param(
            make_snapshot(make_execution(deleted_at=NOW), holds=[HOLD]), Nothing, id="deletion"
        ),
        pytest.param(make_snapshot(problem="wrong", holds=[HOLD]), Refuse, id="a-problem"),
        pytest.param(make_snapshot(runs=[make_run("other")], holds=[HOLD]), Skip, id="busy"),
        pytest.param(
            make_snapshot(runs=[finished_run(completed_at=ago(minutes=1))], holds=[HOLD]),
            Skip,
            id="cooling",
        ),
        pytest.param(
            make_snapshot(
                make_execution(phase=Phase.SKIPPED, completed_at=ago(minutes=1)), holds=[HOLD]
            ),
            Nothing,
            id="what-has-ended",
        ),
    ],
)
def test_what_would_not_be_launched_anyway_is_not_kept_waiting(
    snapshot: Snapshot, verdict: type
) -> None:
    assert isinstance(decide(snapshot), verdict)


def test_it_goes_on_at_the_moment_the_hold_expires() -> None:
    until = NOW + timedelta(hours=1)
    hold = make_hold(expiresAt=format_time(until))
    before = decide(make_snapshot(holds=[hold], now=until - timedelta(microseconds=1)))
    assert before == Wait(hold)
    assert isinstance(decide(make_snapshot(holds=[hold], now=until)), Launch)
