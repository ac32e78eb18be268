"""Holds as watches and lists tell of them: none is lost, none outlives its deletion."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest

from builders import NOW, RUN_NAMESPACE, make_execution, raw_hold
from clocks import FixedClock
from workflowexecution.api.status import Phase
from workflowexecution.cache.memory import Memory
from workflowexecution.cache.store import Store
from workflowexecution.controller.holds import Holds


class Queue:
    """Records the keys that are queued, until they are read."""

    def __init__(self) -> None:
        self._keys: list[str] = []

    def add(self, key: str) -> None:
        self._keys.append(key)

    def taken(self) -> list[str]:
        keys, self._keys = self._keys, []
        return keys


class Desk:
    def __init__(self) -> None:
        self.queue = Queue()
        store = Store(RUN_NAMESPACE)
        for item in (
            make_execution("waiting"),
            make_execution("runs", phase=Phase.RUNNING, number=1),
        ):
            store.observe_execution(item, now=NOW)
        self.stale = ""
        self.memory, clock = Memory(), FixedClock(NOW)
        queue = cast("Any", self.queue)
        self.holds = Holds(store, self.memory, queue, clock, lambda: self.stale)

    def names(self) -> list[str]:
        return sorted(hold.name for hold in self.holds.current())

    def relist(self, *raws: dict[str, Any], meanwhile: Callable[[], None] | None = None) -> None:
        async def listed() -> AsyncIterator[dict[str, Any]]:
            for raw in raws:
                yield raw
            if meanwhile:
                meanwhile()

        asyncio.run(self.holds.relist(listed()))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_change_queues_what_has_not_been_launched_and_nothing_else(desk: Desk) -> None:
    desk.holds.on_event("ADDED", raw_hold())
    assert (desk.names(), desk.queue.taken()) == (["freeze"], ["uid-of-waiting"])
    desk.holds.on_event("MODIFIED", raw_hold(version=2))
    assert desk.queue.taken() == []
    desk.holds.on_event("DELETED", raw_hold(version=3))
    assert (desk.names(), desk.queue.taken()) == ([], ["uid-of-waiting"])


def test_one_that_cannot_be_understood_is_kept(desk: Desk) -> None:
    desk.holds.on_event("ADDED", {**raw_hold(), "spec": {"everthing": True}})
    assert [bool(hold.problem) for hold in desk.holds.current()] == [True]


def test_one_that_is_being_deleted_holds_no_more_whoever_keeps_it(desk: Desk) -> None:
    desk.holds.on_event("ADDED", raw_hold())
    desk.holds.on_event("MODIFIED", raw_hold(deleted_at=NOW))
    assert desk.names() == []
    desk.relist(raw_hold(deleted_at=NOW))
    assert desk.names() == []


def test_a_list_shows_what_came_and_went_while_nobody_watched(desk: Desk) -> None:
    desk.holds.on_event("ADDED", raw_hold("gone"))
    desk.queue.taken()
    desk.relist(raw_hold("new"))
    assert (desk.names(), desk.queue.taken()) == (["new"], ["uid-of-waiting"])
    desk.relist(raw_hold("new"))
    assert desk.queue.taken() == []


def test_what_a_watch_tells_during_a_list_is_newer_than_the_list(desk: Desk) -> None:
    desk.holds.on_event("ADDED", raw_hold("lifted"))

    def meanwhile() -> None:
        desk.holds.on_event("DELETED", raw_hold("lifted"))
        desk.holds.on_event("ADDED", raw_hold("new"))

    desk.relist(raw_hold("lifted"), meanwhile=meanwhile)
    assert desk.names() == ["new"]


def test_a_list_that_breaks_off_changes_nothing(desk: Desk) -> None:
    desk.holds.on_event("ADDED", raw_hold())

    def meanwhile() -> None:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 (it is the one raised above)
        desk.relist(meanwhile=meanwhile)
    assert desk.names() == ["freeze"]


def test_in_doubt_everything_is_held(desk: Desk) -> None:
    desk.stale = "the watch of workflowholds is silent"
    (hold,) = desk.holds.current()
    assert "the watch of workflowholds is silent" in hold.describe()


def test_an_object_nobody_foresaw_costs_no_other(desk: Desk) -> None:
    desk.holds.on_event("ADDED", {"metadata": None})
    desk.holds.on_event("ADDED", raw_hold())
    assert desk.names() == ["freeze"]
