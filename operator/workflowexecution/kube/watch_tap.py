"""One watch on its way to kopf: each line decoded, and none that would end kopf.

kopf calls handlers for what must be known at once. A change that can wait, as the echo of our own
write, waits for the next of those, or half a second: the call costs more than the change.

kopf gets a note of a few bytes instead of objects: the number of a parcel of changes, and the
version after them. kopf decodes with Python's own decoder, which takes ten times as long as ours
and ends at about a thousand levels; and one call of a handler costs kopf as much as ten changes
cost us, so changes that come at once share a note.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec
import structlog

from workflowexecution.kube import errors
from workflowexecution.kube.answers import (
    PAUSE_S,
    Decode,
    StreamHealth,
    WatchEvent,
    decode_whole,
    read_event,
)

# kopf has a task of 12 to 25 kB for each UID. Handlers only take in and never wait: one task is
# enough for a whole watch, and keeps the order in which things happened.
_ONE_FOR_ALL: Final = "changes"
# kopf asks where the API server is now, and goes on from there.
PLACE_LOST: Final = b'{"type":"ERROR","object":{"code":410}}\n'
# For how long a change may wait that nobody waits for.
_WAITS_S: Final = 0.5

# Whether a change, of this type and to this object, may be handled a moment later.
CanWait = Callable[[str, dict[str, Any]], bool]


class Change(NamedTuple):
    """The type of an event (``ADDED``, ``MODIFIED``, ``DELETED``) and its object."""

    kind: str
    changed: dict[str, Any]


class Inbox:
    """Holds parcels of changes by number; each is taken out once."""

    def __init__(self) -> None:
        self._parcels: dict[int, Sequence[Change]] = {}
        self._number = 0

    def put(self, changes: Sequence[Change], version: str) -> bytes:
        """Keep changes; the note of them, as a line of a watch. Without changes, a bookmark."""
        meta: dict[str, Any] = {"uid": _ONE_FOR_ALL, "resourceVersion": version}
        note = {"metadata": meta}
        if not changes:
            return _line("BOOKMARK", note)
        self._number += 1
        self._parcels[self._number] = changes
        meta["generation"] = self._number
        return _line("MODIFIED", note)

    def take(self, note: Mapping[str, Any]) -> Sequence[Change]:
        """The changes that a note is of; none where kopf has begun again meanwhile."""
        return self._parcels.pop(note["metadata"]["generation"], ())

    def clear(self) -> None:
        """Forget what kopf has not delivered; a relist follows where kopf begins again."""
        self._parcels.clear()

    def __len__(self) -> int:
        """Number of changes that wait."""
        return sum(map(len, self._parcels.values()))


def _line(kind: str, note: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"type": kind, "object": note}) + b"\n"


def never(_event_type: str, _changed: dict[str, Any]) -> bool:
    """No change may wait."""
    return False


class WatchTap:
    """The watch of one path.

    Changes are put into ``inbox`` as ``decode`` reads them. ``on_gap`` is called when changes may
    have been missed and a new beginning has been found: a list that is asked for from then on
    holds all that was missed. Of what ``can_wait``, only the newest change of an object is kept.

    has_begun: set once it is known from where on changes are delivered.
    was_asked: set once kopf has asked for the path.
    """

    def __init__(
        self,
        path: str,
        inbox: Inbox,
        on_gap: Callable[[], None],
        decode: Decode = decode_whole,
        can_wait: CanWait = never,
    ) -> None:
        self.path = path
        self.name = path.rpartition("/")[2]
        self.health = StreamHealth(self.name, time.monotonic)
        self.has_begun = asyncio.Event()
        self.was_asked = asyncio.Event()
        self._inbox = inbox
        self._on_gap = on_gap
        self._decode = decode
        self._can_wait = can_wait
        self._has_gap = False
        self._due_at = float("-inf")
        self._attempts = 0
        self._log = structlog.get_logger("watches").bind(watch=self.name)

    async def pause(self) -> None:
        """Hold back a stream that follows another at once: kopf makes no pause."""
        now = time.monotonic()
        wait = max(self._due_at - now, 0)
        self._due_at = now + wait + PAUSE_S
        await asyncio.sleep(wait)

    def found(self) -> None:
        """Note that a beginning is known; each but the first comes after a gap."""
        self._has_gap = self.has_begun.is_set()
        self.has_begun.set()

    def opened(self) -> None:
        """Note that a stream has begun."""
        self._attempts = 0
        self.health.opened()
        if self._has_gap:
            self._has_gap = False
            self._on_gap()

    def refused(self, why: str, *, needs_a_person: bool = False) -> None:
        """Note that there is no stream now."""
        self._attempts += 1
        self.health.refused(why, needs_a_person=needs_a_person)
        self._log.warning("the watch is refused", error=why, attempt=self._attempts)

    async def lines(self, content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
        """Lines as kopf is to read them: one for all changes that come at once, or have waited."""
        parcel = _Parcel(self._can_wait)
        async for lines in _whole_lines(content, parcel):
            try:
                parcel.add(self._events(lines))
            except errors.GoneError:
                yield self._note(parcel) + PLACE_LOST
            except errors.ApiError as error:
                yield self._note(parcel)
                self._log.debug("the stream was lost", error=str(error))
                # kopf goes on where it was after a lost stream, and ends with anything else.
                raise aiohttp.ClientPayloadError(str(error)) from error
            if parcel.is_due():
                yield self._note(parcel)
        yield self._note(parcel)

    def _events(self, lines: Iterable[bytes]) -> Iterable[WatchEvent]:
        """Each line as an event; raises ApiError where one reports an error."""
        for line in lines:
            event = read_event(line, self.path, self._decode)
            self.health.heard()
            yield event

    def _note(self, parcel: "_Parcel") -> bytes:
        """The line of all that waits; empty where nothing does."""
        return self._inbox.put(*parcel.unload()) if parcel.version else b""


class _Parcel:
    """The changes that kopf gets with the next line.

    version: of the last change; empty where there is nothing to hand on.
    due_at: when the line is due by the event loop's clock; None where nothing waits.
    """

    def __init__(self, can_wait: CanWait) -> None:
        self._can_wait = can_wait
        self._changes: dict[str, Change] = {}
        self.version = ""
        self.due_at: float | None = None

    def add(self, events: Iterable[WatchEvent]) -> None:
        """Add changes, each in place of an older one of the same object that could wait."""
        now = asyncio.get_running_loop().time()
        for kind, changed, version in events:
            self.version = version
            if kind == "BOOKMARK":
                self.due_at = now
                continue
            can_wait = self._can_wait(kind, changed)
            due_at = now + _WAITS_S if can_wait else now
            self.due_at = min(due_at, self.due_at or due_at)
            key = changed["metadata"]["uid"] if can_wait else version
            self._changes.pop(key, None)
            self._changes[key] = Change(kind, changed)

    def is_due(self) -> bool:
        """Whether it is to be handed on now."""
        return self.due_at is not None and self.due_at <= asyncio.get_running_loop().time()

    def unload(self) -> tuple[list[Change], str]:
        """Take out all that there is, and the version after it."""
        changes, version = [*self._changes.values()], self.version
        self._changes.clear()
        self.version, self.due_at = "", None
        return changes, version


async def _whole_lines(
    content: aiohttp.StreamReader, parcel: _Parcel
) -> AsyncIterator[list[bytes]]:
    """Lines that have come at once; none where the parcel is due before any comes."""
    rest = b""
    while True:
        limit = asyncio.timeout_at(parcel.due_at)
        try:
            async with limit:
                chunk = await content.readany()
        except TimeoutError:
            # A connection may end with the same error.
            if not limit.expired():
                raise
            yield []
            continue
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        yield lines
