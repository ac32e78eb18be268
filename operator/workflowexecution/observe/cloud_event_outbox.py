"""CloudEvents that are not taken yet, and the time before which every one was."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.observe.cloud_events import Notice

# Executions with events: about three megabytes. What does not fit is read again later.
QUEUE_LIMIT: Final = 1000
# A status may reach the API server this long after its time was taken.
OVERLAP: Final = timedelta(minutes=1)


class Outbox:
    """The events of each execution, in order, and those that need not be sent again.

    unread_since: events from this time on may be missing here; None where none is.
    """

    def __init__(self) -> None:
        self.unread_since: datetime | None = None
        self._waiting: dict[str, list[Notice]] = {}
        self._settled: dict[str, datetime] = {}
        self._arrived = asyncio.Event()
        self._emptied = asyncio.Event()

    def __len__(self) -> int:
        """Number of events that wait."""
        return sum(map(len, self._waiting.values()))

    @property
    def has_room(self) -> bool:
        """Whether it is worth reading those that did not fit."""
        return len(self._waiting) <= QUEUE_LIMIT // 2

    @property
    def has_settled(self) -> bool:
        """Whether a new mark would spare the next leader an event."""
        return bool(self._settled)

    def add(self, uid: str, notice: Notice) -> None:
        """Have an event sent, unless it is known; without room, note to read it again."""
        known = self._waiting.get(uid, [])
        if notice.id in self._settled or any(item.id == notice.id for item in known):
            return
        if not known and len(self._waiting) >= QUEUE_LIMIT:
            self.note_unread(notice.at)
            return
        self._waiting[uid] = sorted([*known, notice], key=lambda item: item.at)
        self._arrived.set()

    def note_unread(self, since: datetime) -> None:
        """Note that events from this time on may be missing."""
        self.unread_since = min(self.unread_since or since, since)

    async def next(self) -> tuple[str, Notice]:
        """The UID and the event that is next, as soon as there is one."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        uid = next(iter(self._waiting))
        return uid, self._waiting[uid][0]

    async def until_empty(self) -> None:
        """Wait until none waits."""
        while self._waiting:
            self._emptied.clear()
            await self._emptied.wait()

    def postpone(self, uid: str) -> None:
        """Put an execution behind all others, so that one bad event holds none of them up."""
        self._waiting[uid] = self._waiting.pop(uid)

    def settle(self, uid: str, notice: Notice) -> None:
        """Note that an event need not be sent again."""
        left = [item for item in self._waiting.pop(uid) if item.id != notice.id]
        if left:
            self._waiting[uid] = left
        self._settled[notice.id] = notice.at
        if not self._waiting:
            self._emptied.set()

    def mark(self, now: datetime) -> datetime:
        """The time before which every event is settled."""
        waiting = [notice.at for notices in self._waiting.values() for notice in notices]
        unread = [self.unread_since] if self.unread_since else []
        return min([*waiting, *unread, now])

    def forget_before(self, mark: datetime) -> None:
        """Forget what the next leader does not send again, now that this mark is kept."""
        first = mark - OVERLAP
        self._settled = {key: at for key, at in self._settled.items() if at >= first}
