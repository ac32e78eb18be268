"""An operator publishes its settings when they change, and never waits for that."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from builders import NOW, make_policy
from clocks import FixedClock
from workflowexecution.core.names import Shard
from workflowexecution.kube import errors
from workflowexecution.manager.view import Publisher

FORBIDDEN = errors.MissingRightError('configmaps "x" is forbidden', status=403)
AWAY = errors.UnavailableError("no answer", status=503)


class Desk:
    """A publisher, its clock, the API server that it writes to, and the state of its operator."""

    def __init__(self) -> None:
        self.clock = FixedClock(NOW)
        self.state = ""
        self.answer: Exception | None = None
        self.written: list[dict[str, Any]] = []
        self.publisher = Publisher(
            self._write,
            make_policy(shard=Shard(2, 3)),
            self.clock,
            resync_interval=timedelta(minutes=10),
            written_by="pod-1_abc",
            problem=lambda: self.state,
        )

    async def _write(self, shard: Shard, text: str) -> None:
        assert shard == Shard(2, 3)
        self.written.append(json.loads(text))
        if self.answer:
            raise self.answer

    async def pass_by(self, seconds: int) -> int:
        """Let time pass, with a tick each second; returns how many writes that made."""
        before = len(self.written)
        for _ in range(seconds):
            self.clock.advance(1)
            self.publisher.tick()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        return len(self.written) - before


async def opened(answer: Exception | None = None) -> Desk:
    desk = Desk()
    desk.answer = answer
    desk.publisher.open()
    await asyncio.sleep(0)
    return desk


async def test_before_it_works_it_writes_nothing() -> None:
    desk = Desk()
    desk.publisher.write_again()
    assert await desk.pass_by(60) == 0


async def test_it_writes_once_when_it_begins_and_nothing_while_nothing_changes() -> None:
    desk = await opened()
    (first,) = desk.written
    assert (first["shard"], first["writtenBy"]) == ("2/3", "pod-1_abc")
    assert (first["writtenAt"], first["problem"]) == ("2026-01-02T12:00:00Z", "")
    assert first["settings"]["cooldown"] == "5m0s"
    assert first["version"]
    assert await desk.pass_by(600) == 0


async def test_each_change_of_its_state_is_one_write_and_no_more_than_one_in_five_seconds() -> None:
    desk = await opened()
    desk.state = "the watch of runs is silent"
    assert await desk.pass_by(60) == 1
    assert desk.written[-1]["problem"] == desk.state
    changes = 0
    for number in range(60):
        desk.state = f"problem {number}"
        changes += await desk.pass_by(1)
    assert changes == 12
    desk.state = ""
    assert await desk.pass_by(60) == 1
    assert desk.written[-1]["problem"] == ""


async def test_each_relist_is_one_write_with_a_new_time() -> None:
    desk = await opened()
    await desk.pass_by(600)
    desk.publisher.write_again()
    assert await desk.pass_by(60) == 1
    first, second = desk.written
    assert second["writtenAt"] == "2026-01-02T12:10:01Z"
    assert {**first, "writtenAt": ""} == {**second, "writtenAt": ""}


@pytest.mark.parametrize(
    ("answer", "writes_in_ten_minutes"),
    [(FORBIDDEN, 0), (errors.NotFoundError("gone", status=404), 0), (AWAY, 40)],
)
async def test_a_write_that_fails_is_repeated_and_logged_once(
    answer: Exception, writes_in_ten_minutes: int
) -> None:
    with capture_logs() as logs:
        desk = await opened(answer)
        assert await desk.pass_by(600) == writes_in_ten_minutes
        desk.publisher.write_again()
        assert await desk.pass_by(6) == 1
    (line,) = logs
    assert line["log_level"] == "warning"
    assert ("apply its release again" in line["problem"]) is (answer is FORBIDDEN)


async def test_after_a_success_the_same_reason_is_logged_again() -> None:
    with capture_logs() as logs:
        desk = await opened(FORBIDDEN)
        for answer in (None, FORBIDDEN):
            desk.answer = answer
            desk.publisher.write_again()
            await desk.pass_by(6)
    assert len(logs) == 2


async def test_a_slow_answer_holds_nothing_up_and_is_not_asked_for_twice() -> None:
    desk, asked = Desk(), 0

    async def never(_: Shard, __: str) -> None:
        nonlocal asked
        asked += 1
        await asyncio.Event().wait()

    desk.publisher._write = never
    desk.publisher.open()
    for number in range(60):
        desk.state = f"problem {number}"
        await desk.pass_by(1)
    assert asked == 1
    await desk.publisher.close()
    desk.publisher.write_again()
    assert await desk.pass_by(60) == 0
