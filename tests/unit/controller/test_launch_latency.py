"""The latency of a launch does not count the time that a hold has cost."""

from typing import Any

import pytest

from builders import NOW, ago, raw_execution, raw_hold
from clocks import FixedClock
from reconcile_desk import Desk
from workflowexecution.api.reading import format_time
from workflowexecution.kube import errors

METRIC = "workflowexecution_creation_to_launch_seconds"
# An execution of the tests is an hour old.
AGE_S = 3600.0


def launches(desk: Desk) -> tuple[float, float]:
    """The number of launches, and the seconds that all of them took."""
    registry = desk.metrics.registry
    count, total = (registry.get_sample_value(f"{METRIC}_{what}") for what in ("count", "sum"))
    assert count is not None
    assert total is not None
    return count, total


async def held(desk: Desk, **spec: Any) -> None:
    desk.controller.holds.on_event("ADDED", raw_hold(**spec))
    desk.has_execution(raw_execution())
    await desk.reconcile()
    assert desk.status()["conditions"][0]["reason"] == "Held"


def lift(desk: Desk) -> None:
    desk.controller.holds.on_event("DELETED", raw_hold(version=2))


async def test_what_was_never_held_counts_from_its_creation(desk: Desk) -> None:
    desk.has_execution(raw_execution())
    await desk.reconcile()
    assert launches(desk) == (1, AGE_S)


async def test_what_was_held_counts_from_the_moment_the_hold_was_lifted(desk: Desk) -> None:
    await held(desk)
    desk.clock.advance(600)
    lift(desk)
    desk.clock.advance(2)
    await desk.reconcile()
    assert launches(desk) == (1, 2)


async def test_what_was_held_counts_from_the_moment_the_hold_expired(desk: Desk) -> None:
    await held(desk, expiresAt=format_time(ago(seconds=-600)))
    desk.clock.advance(603)
    await desk.reconcile()
    # One that has expired holds nothing, so its deletion is no news.
    assert launches(desk) == (1, 3)


async def test_the_deletion_of_an_expired_hold_does_not_hide_a_late_launch(desk: Desk) -> None:
    await held(desk, expiresAt=format_time(ago(seconds=-600)))
    desk.clock.advance(640)
    lift(desk)
    await desk.reconcile()
    assert launches(desk) == (1, 40)


async def test_the_last_of_several_holds_counts(desk: Desk) -> None:
    await held(desk)
    desk.controller.holds.on_event("ADDED", raw_hold("second"))
    desk.clock.advance(60)
    lift(desk)
    await desk.reconcile()
    desk.clock.advance(60)
    desk.controller.holds.on_event("DELETED", raw_hold("second", version=2))
    desk.clock.advance(1)
    await desk.reconcile()
    assert launches(desk) == (1, 1)


async def test_a_hold_on_another_workflow_changes_nothing(desk: Desk) -> None:
    desk.has_execution(raw_execution())
    desk.controller.holds.on_event("ADDED", raw_hold(workflowId="other"))
    desk.controller.holds.on_event("DELETED", raw_hold(workflowId="other", version=2))
    await desk.reconcile()
    assert launches(desk) == (1, AGE_S)


async def test_one_lifted_while_no_operator_ran_counts_from_the_first_look(desk: Desk) -> None:
    await held(desk)
    raw = {**raw_execution(), "status": desk.status()}
    later = Desk()
    later.clock = FixedClock(NOW)
    later.controller.open()
    later.has_execution(raw)
    later.cluster.refuses["create run"] = errors.UnavailableError("no answer")
    with pytest.raises(errors.UnavailableError):
        await later.reconcile()
    del later.cluster.refuses["create run"]
    await later.reconcile()
    assert launches(later) == (1, 0)


async def test_holds_that_cannot_be_read_make_a_launch_late(desk: Desk) -> None:
    desk.why_holds_are_stale = "the watch of workflowholds is silent"
    desk.has_execution(raw_execution())
    await desk.reconcile()
    desk.why_holds_are_stale = ""
    await desk.reconcile()
    assert launches(desk) == (1, AGE_S)
