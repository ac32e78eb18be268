"""One leader at a time, and soon another one when it is gone."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from clocks import FixedClock
from workflowexecution.kube import errors
from workflowexecution.kube.leader_election import (
    LEASE_DURATION,
    Leadership,
    LeaseRecord,
    LeaseStep,
    LeaseStore,
    decide_lease,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RECORD = LeaseRecord(holder="a", duration=timedelta(seconds=15), version="1", transitions=0)


@pytest.mark.parametrize(
    ("record", "unchanged_s", "step"),
    [
        (None, 0, LeaseStep.CREATE),
        (replace(RECORD, holder="me"), 0, LeaseStep.RENEW),
        (replace(RECORD, holder="me"), 99, LeaseStep.RENEW),
        (replace(RECORD, holder=""), 0, LeaseStep.TAKE),
        (RECORD, 0, LeaseStep.WAIT),
        (RECORD, 14.9, LeaseStep.WAIT),
        (RECORD, 15, LeaseStep.TAKE),
    ],
)
def test_next_step(record: LeaseRecord | None, unchanged_s: float, step: LeaseStep) -> None:
    assert decide_lease(record, "me", timedelta(seconds=unchanged_s)) is step


@dataclass
class Server:
    """Holds one Lease, and lets only those write it who have seen its last version."""

    record: LeaseRecord | None = None
    is_down: bool = False
    loses_reply: bool = False

    async def read(self) -> LeaseRecord | None:
        self._answer()
        return self.record

    async def acquire(self, seen: LeaseRecord | None, holder: str, now: datetime) -> LeaseRecord:
        return self._write(seen, holder)

    async def renew(self, seen: LeaseRecord, now: datetime) -> LeaseRecord:
        return self._write(seen, seen.holder)

    async def release(self, seen: LeaseRecord, now: datetime) -> None:
        self._write(seen, "")

    def _answer(self) -> None:
        if self.is_down:
            raise errors.UnavailableError("no answer")

    def _write(self, seen: LeaseRecord | None, holder: str) -> LeaseRecord:
        self._answer()
        known, sent = self.record, seen.version if seen else "0"
        if (known.version if known else "0") != sent:
            raise errors.ConflictError("changed")
        self.record = replace(RECORD, holder=holder, version=str(int(sent) + 1))
        if self.loses_reply:
            self.loses_reply = False
            raise errors.UnavailableError("reply lost")
        return self.record


class World:
    """Candidates on one server; time passes only while somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = Server()
        self.clock = FixedClock(NOW)
        self.at: dict[float, Any] = {}
        monkeypatch.setattr(asyncio, "sleep", self._sleep)

    def candidate(self, name: str) -> Leadership:
        return Leadership(cast("LeaseStore", self.server), name, self.clock)

    async def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for due in [moment for moment in self.at if moment <= self.clock.passed]:
            self.at.pop(due)()

    def after(self, seconds: float, action: Any) -> None:
        """Do something once so many seconds have passed."""
        self.at[self.clock.passed + seconds] = action

    @property
    def holder(self) -> str:
        assert self.server.record
        return self.server.record.holder


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


async def test_the_first_leads_and_a_second_takes_over_when_it_is_silent(world: World) -> None:
    await world.candidate("a").acquire()
    assert world.holder == "a"
    began_at = world.clock.passed
    await world.candidate("b").acquire()
    assert world.holder == "b"
    assert LEASE_DURATION.total_seconds() <= world.clock.passed - began_at <= 17


async def test_a_released_lease_is_taken_within_two_seconds(world: World) -> None:
    first = world.candidate("a")
    await first.acquire()
    await first.release()
    began_at = world.clock.passed
    await world.candidate("b").acquire()
    assert (world.holder, world.clock.passed - began_at <= 2) == ("b", True)


async def test_it_is_lost_in_time_when_the_server_is_down(world: World) -> None:
    """Before anybody else can take it."""
    first = world.candidate("a")
    await first.acquire()
    began_at = world.clock.passed
    world.server.is_down = True
    assert await first.keep(lambda: "") == "no answer"
    assert 10 <= world.clock.passed - began_at < LEASE_DURATION.total_seconds()


async def test_it_is_kept_over_a_short_outage_and_a_lost_reply(world: World) -> None:
    first = world.candidate("a")
    await first.acquire()
    began_at = world.clock.passed
    world.after(3, lambda: setattr(world.server, "is_down", True))
    world.after(8, lambda: setattr(world.server, "is_down", False))
    world.after(20, lambda: setattr(world.server, "loses_reply", True))
    world.after(60, lambda: setattr(world.server, "is_down", True))
    await first.keep(lambda: "")
    assert world.clock.passed - began_at >= 60


async def test_who_is_not_healthy_does_not_renew(world: World) -> None:
    first = world.candidate("a")
    await first.acquire()
    version = world.server.record and world.server.record.version
    assert await first.keep(lambda: "the watch is silent") == "the watch is silent"
    assert world.server.record
    assert world.server.record.version == version


async def test_who_was_paused_does_not_renew(world: World) -> None:
    first = world.candidate("a")
    await first.acquire()
    version = world.server.record and world.server.record.version
    world.after(1, lambda: world.clock.advance(60))
    await first.keep(lambda: "")
    assert world.server.record
    assert world.server.record.version == version


async def test_it_is_lost_at_once_when_another_holds_it(world: World) -> None:
    first = world.candidate("a")
    await first.acquire()
    assert world.server.record
    world.server.record = replace(world.server.record, holder="b", version="77")
    assert await first.keep(lambda: "") == "the Lease was taken by b"


async def test_what_is_not_held_is_not_released(world: World) -> None:
    await world.candidate("a").acquire()
    await world.candidate("b").release()
    assert world.holder == "a"


async def test_of_many_at_once_one_leads(world: World) -> None:
    """Those that lose wait: the moment they would take it is a Lease's duration away."""
    candidates = [world.candidate(name) for name in "abcd"]
    won = await asyncio.gather(*(one._attempt() for one in candidates))
    assert won.count(True) == 1
