"""A new leader sends the events that an earlier one may not have sent."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from builders import NOW, ago, make_execution
from kept_journal import KeptJournal
from told_phases import BEFORE, ended, running, with_status
from workflowexecution.api.reading import format_time
from workflowexecution.core.facts.execution import Execution
from workflowexecution.kube.errors import UnavailableError
from workflowexecution.observe import cloud_event_keeper, cloud_event_outbox
from workflowexecution.observe.cloud_event_keeper import Keeper
from workflowexecution.observe.cloud_event_outbox import Outbox
from workflowexecution.observe.cloud_events import notices_of

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_TICK_S", "_BETWEEN_LISTS_S", "_BETWEEN_MARKS_S"):
        monkeypatch.setattr(cloud_event_keeper, name, 0.01)


class Led:
    """An outbox with its keeper, from the moment that its operator leads."""

    def __init__(self, journal: KeptJournal) -> None:
        self.outbox = Outbox()
        self.journal = journal
        self.keeper = Keeper(self.outbox, journal, DAY, with_trace=False)

    async def taken(self, number: int) -> list[str]:
        """Take so many events as a sink does; gives their ids."""
        found = []
        async with asyncio.timeout(10):
            for _ in range(number):
                uid, notice = await self.outbox.next()
                self.outbox.settle(uid, notice)
                found.append(notice.id.removeprefix("uid-of-"))
        return found

    async def until_read(self) -> None:
        """Wait until nothing is unread."""
        async with asyncio.timeout(10):
            while self.outbox.unread_since:  # noqa: ASYNC110 (it has no event for tests)
                await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def leaders() -> AsyncIterator[list[Led]]:
    found: list[Led] = []
    yield found
    for one in found:
        await one.keeper.close()


def lead(leaders: list[Led], journal: KeptJournal) -> Led:
    leaders.append(Led(journal))
    return leaders[-1]


def completed(name: str = "mine") -> Execution:
    """It was launched a minute ago, and has ended now."""
    return with_status(make_execution(name), ended())


async def test_without_a_mark_all_of_the_window_is_sent(leaders: list[Led]) -> None:
    old = with_status(make_execution("old"), ended())
    (condition, *_) = old.raw["status"]["conditions"]
    for item in old.raw["status"]["conditions"]:
        item["lastTransitionTime"] = format_time(NOW - DAY - timedelta(seconds=1))
    assert condition["type"] == "Succeeded"
    one = lead(leaders, KeptJournal(old, completed()))
    assert await one.taken(2) == ["mine-running", "mine-completed"]
    await one.until_read()
    assert not one.outbox


@pytest.mark.parametrize(
    ("mark", "number"),
    [
        (ago(seconds=30), 2),
        # A status may have been on its way for a minute when the mark was written.
        (NOW + timedelta(seconds=30), 1),
        (NOW + timedelta(seconds=61), 0),
    ],
)
async def test_what_is_newer_than_the_mark_is_sent(
    leaders: list[Led], mark: datetime, number: int
) -> None:
    journal = KeptJournal(completed(), mark=format_time(mark), now=NOW + timedelta(minutes=5))
    one = lead(leaders, journal)
    await one.until_read()
    assert len(one.outbox) == number


@pytest.mark.parametrize(
    ("mark", "number"),
    [("soon", 2), ("9999-12-31T23:59:59-23:59", 2), ("2999-01-01T00:00:00Z", 1)],
)
async def test_a_mark_that_somebody_else_wrote_counts_for_no_more_than_now(
    leaders: list[Led], mark: str, number: int
) -> None:
    one = lead(leaders, KeptJournal(completed(), mark=mark))
    await one.until_read()
    assert len(one.outbox) == number


async def test_what_was_taken_is_marked_and_not_sent_by_the_next_leader(
    leaders: list[Led],
) -> None:
    journal = KeptJournal(completed())
    first = lead(leaders, journal)
    await first.taken(2)
    journal.moment = NOW + timedelta(minutes=2)
    await first.keeper.close()
    assert journal.mark == format_time(journal.moment)

    second = lead(leaders, journal)
    await second.until_read()
    assert not second.outbox


async def test_what_was_not_taken_is_sent_by_the_next_leader(leaders: list[Led]) -> None:
    """As after a kill between the status and the event, when others were taken since then."""
    journal = KeptJournal(completed("lost"))
    first = lead(leaders, journal)
    await first.until_read()
    journal.held.append(completed("later"))
    for notice in notices_of(journal.held[-1]):
        first.outbox.add("later", notice)
    first.outbox.settle("later", notices_of(journal.held[-1])[0])
    journal.moment = NOW + timedelta(hours=1)
    await first.keeper.close()

    second = lead(leaders, journal)
    assert set(await second.taken(4)) >= {"lost-running", "lost-completed", "later-completed"}


async def test_what_had_no_room_is_read_again_once_there_is_some(
    monkeypatch: pytest.MonkeyPatch, leaders: list[Led]
) -> None:
    monkeypatch.setattr(cloud_event_outbox, "QUEUE_LIMIT", 2)
    journal = KeptJournal(*(completed(f"mine-{number}") for number in range(5)))
    one = lead(leaders, journal)
    found = await one.taken(10)
    assert len(set(found)) == 10
    await one.until_read()
    assert not one.outbox
    assert journal.lists > 1


async def test_while_something_is_unread_the_mark_does_not_pass_it() -> None:
    outbox = Outbox()
    outbox.note_unread(ago(hours=2))
    outbox.note_unread(ago(hours=1))
    (notice,) = notices_of(with_status(make_execution(), running()), BEFORE)
    outbox.add("uid", notice)
    assert outbox.mark(NOW) == ago(hours=2)
    outbox.unread_since = None
    assert outbox.mark(NOW) == notice.at
    outbox.settle("uid", notice)
    assert outbox.mark(NOW) == NOW


async def test_answers_that_fail_are_asked_for_again(leaders: list[Led]) -> None:
    journal = KeptJournal(completed())
    journal.refusals = [UnavailableError("down")] * 3
    one = lead(leaders, journal)
    assert len(await one.taken(2)) == 2
    await one.until_read()


async def test_a_list_that_breaks_off_leaves_all_unread(leaders: list[Led]) -> None:
    journal = KeptJournal(completed())
    one = lead(leaders, journal)
    await one.until_read()
    journal.refusals = [UnavailableError("down")]
    with pytest.raises(UnavailableError):
        await one.keeper._read_again(ago(hours=1))
    assert one.outbox.unread_since == ago(hours=1)
