"""Each verdict on an execution, and what is done about it."""

from datetime import timedelta
from typing import Any

import pytest

from builders import (
    NOW,
    RUN_NAMESPACE,
    TARGET,
    ago,
    make_hold,
    make_run,
    raw_execution,
    raw_run,
    run_status,
)
from reconcile_desk import Desk
from workflowexecution.api import identity
from workflowexecution.api.status import SkipReason
from workflowexecution.controller.actions import Actions
from workflowexecution.controller.context import DECIDE_AGAIN, Result
from workflowexecution.core import names
from workflowexecution.core.evidence import holder_of
from workflowexecution.core.facts.execution import Execution
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
    Wait,
)

RUN_NAME = names.run_name(TARGET, 1)
KEY = (RUN_NAMESPACE, RUN_NAME)


@pytest.fixture
def actions(desk: Desk) -> Actions:
    return desk.controller.actions


@pytest.fixture
def mine(desk: Desk) -> Execution:
    return desk.has_execution(raw_execution(finalizers=[identity.OLD_FINALIZER, "theirs"]))


def reason_of(result: Result) -> str:
    assert result.outcome is not None
    return result.outcome.reason


async def test_launch(desk: Desk, actions: Actions, mine: Execution) -> None:
    assert reason_of(await actions.carry_out(mine, Launch(RUN_NAME))) == "Running"
    assert desk.asked() == ["create run"]


async def test_report_run(desk: Desk, actions: Actions, mine: Execution) -> None:
    run = desk.has_run(raw_run("mine", status=run_status(), created_at=NOW))
    assert reason_of(await actions.carry_out(mine, ReportRun(run))) == "Running"
    assert desk.asked() == []


async def test_a_skip_for_a_holder_is_decided_again_once_it_was_read(
    desk: Desk, actions: Actions, mine: Execution
) -> None:
    run = desk.has_run(raw_run("other", status=run_status()))
    skip = Skip(SkipReason.RESOURCE_BUSY, holder_of(run, TARGET))
    assert await actions.carry_out(mine, skip) is DECIDE_AGAIN
    assert reason_of(await actions.carry_out(mine, skip)) == "ResourceBusy"
    assert desk.asked() == ["get run"]


@pytest.mark.parametrize(
    ("until", "again"), [(None, None), (NOW + timedelta(seconds=90), 90.0), (ago(seconds=1), 0.0)]
)
async def test_wait(
    desk: Desk, actions: Actions, mine: Execution, until: Any, again: float | None
) -> None:
    spec = {} if until is None else {"expiresAt": until.isoformat().replace("+00:00", "Z")}
    result = await actions.carry_out(mine, Wait(make_hold(**spec)))
    assert (reason_of(result), result.requeue_after, desk.asked()) == ("Held", again, [])


async def test_refuse(desk: Desk, actions: Actions, mine: Execution) -> None:
    result = await actions.carry_out(mine, Refuse("it is wrong"))
    assert (reason_of(result), desk.asked()) == ("ConfigurationError", [])


async def test_a_run_is_given_up_once_it_was_read(
    desk: Desk, actions: Actions, mine: Execution
) -> None:
    run = desk.has_run(raw_run("mine", status=run_status()))
    assert await actions.carry_out(mine, GiveUp(run)) is DECIDE_AGAIN
    assert desk.asked() == ["get run"]
    assert reason_of(await actions.carry_out(mine, GiveUp(run))) == "DeadlineExceeded"
    assert "get run" not in desk.asked()


async def test_a_run_that_is_found_is_decided_on(
    desk: Desk, actions: Actions, mine: Execution
) -> None:
    desk.has_run(raw_run("mine", status=run_status()), is_known=False)
    assert await actions.carry_out(mine, FindRun(RUN_NAME, None)) is DECIDE_AGAIN
    assert (desk.asked(), desk.runs.taken()) == (["get run"], [])


async def test_a_run_that_is_not_found_holds_by_what_is_left_of_it(
    desk: Desk, actions: Actions, mine: Execution
) -> None:
    assert await actions.carry_out(mine, FindRun(RUN_NAME, None)) == Result()
    assert [(run.key, run.is_gone) for run in desk.store.runs()] == [(KEY, True)]
    assert desk.runs.taken() == [KEY]


async def test_a_run_whose_name_another_has_is_lost(
    desk: Desk, actions: Actions, mine: Execution
) -> None:
    desk.has_run(raw_run("other", status=run_status()), is_known=False)
    assert reason_of(await actions.carry_out(mine, FindRun(RUN_NAME, None))) == "Unknown"


async def test_a_lost_run(desk: Desk, actions: Actions, mine: Execution) -> None:
    lost = ReportLostRun(make_run("mine", is_gone=True, has_stopped=True))
    assert reason_of(await actions.carry_out(mine, lost)) == "Unknown"
    assert desk.asked() == []


async def test_an_old_finalizer_alone_is_taken_off(
    desk: Desk, actions: Actions, mine: Execution
) -> None:
    assert await actions.carry_out(mine, DropOldFinalizer()) is DECIDE_AGAIN
    assert desk.asked() == ["get execution", "patch finalizers"]
    (raw,) = desk.cluster.stored.all("executions")
    assert raw["metadata"]["finalizers"] == ["theirs"]
    known = desk.store.execution(mine.uid)
    assert known is not None
    assert not known.has_old_finalizer


async def test_nothing(desk: Desk, actions: Actions, mine: Execution) -> None:
    assert await actions.carry_out(mine, Nothing()) == Result()
    assert desk.asked() == []
