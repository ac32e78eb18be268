"""A controller fills its cache before it works, and closes its gaps."""

from collections.abc import AsyncIterator

import pytest

from builders import raw_execution
from reconcile_desk import Desk
from workflowexecution.kube import errors


@pytest.fixture
async def closed() -> AsyncIterator[Desk]:
    """One that stands by."""
    desk = Desk()
    yield desk
    await desk.controller.close(grace=1)


async def test_who_stands_by_learns_and_writes_nothing(closed: Desk) -> None:
    closed.has_execution(raw_execution(), is_known=False)
    await closed.controller.relist()
    assert closed.asked() == ["list holds", "list executions", "list runs", "list active pods"]
    assert len(closed.store.executions()) == 1
    assert (closed.executions.is_open, closed.runs.is_open) == (False, False)


async def test_who_is_opened_works_on_all_that_is_known(closed: Desk) -> None:
    closed.has_execution(raw_execution(), is_known=False)
    await closed.controller.relist()
    closed.executions.taken()
    closed.controller.open()
    assert (closed.executions.is_open, closed.runs.is_open) == (True, True)
    assert closed.executions.taken() == ["uid-of-mine"]
    assert closed.controller.depth() == 0


async def test_a_relist_closes_the_gaps_and_what_is_missed_meanwhile_opens_them_again(
    desk: Desk,
) -> None:
    desk.controller.events.missed()
    await desk.controller.relist()
    assert not desk.gaps.are_open
    desk.cluster.on_the_way["list runs"] = desk.controller.events.missed
    await desk.controller.relist()
    assert desk.gaps.need_relist


@pytest.mark.parametrize("what", ["list holds", "list executions", "list runs"])
async def test_a_relist_that_failed_leaves_the_gaps_open(desk: Desk, what: str) -> None:
    desk.controller.events.missed()
    desk.cluster.refuses[what] = errors.UnavailableError("no answer")
    with pytest.raises(errors.UnavailableError):
        await desk.controller.relist()
    assert desk.gaps.are_open


async def test_while_holds_cannot_be_read_nothing_is_launched(desk: Desk) -> None:
    desk.has_execution(raw_execution())
    await desk.controller.relist()
    desk.cluster.requests.clear()
    desk.why_holds_are_stale = "holds cannot be read"
    assert await desk.reconcile() == 5.0
    assert desk.asked() == ["patch status"]
    assert desk.status()["phase"] == "Pending"
