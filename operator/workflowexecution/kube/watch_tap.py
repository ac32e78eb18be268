"""What comes over one watch on its way to kopf: heard, decoded, and never what would end kopf."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

import aiohttp
import structlog

from workflowexecution.kube import errors
from workflowexecution.kube.decoding import Decode, decode_whole
from workflowexecution.kube.kopf_inbox import Inbox
from workflowexecution.kube.stream_health import StreamHealth
from workflowexecution.kube.watch_event import PAUSE_S, read_event

# kopf asks where the API server is now, and goes on from there.
PLACE_LOST: Final = b'{"type":"ERROR","object":{"code":410}}\n'


class WatchTap:
    """The watch of one path.

    Changes are put into ``inbox`` as ``decode`` reads them. ``on_gap`` is called when changes may
    have been missed and a new beginning has been found: a list that is asked for from then on
    holds all that was missed.

    has_begun: set once it is known from where on changes are delivered.
    was_asked: set once kopf watches the path, whatever it is answered.
    """

    def __init__(
        self, path: str, inbox: Inbox, on_gap: Callable[[], None], decode: Decode = decode_whole
    ) -> None:
        self.path = path
        self.name = path.rpartition("/")[2]
        self.health = StreamHealth(self.name, time.monotonic)
        self.has_begun = asyncio.Event()
        self.was_asked = asyncio.Event()
        self._inbox = inbox
        self._on_gap = on_gap
        self._decode = decode
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
        """Whole lines as kopf is to read them; some at once where they come at once."""
        rest = b""
        async for chunk in content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            told: list[bytes] = []
            try:
                for line in lines:
                    told.append(self._take_in(line))
            except errors.GoneError:
                told.append(PLACE_LOST)
            except errors.ApiError as error:
                if told:
                    yield b"".join(told)
                self._log.debug("the stream was lost", error=str(error))
                # kopf goes on where it was after a lost stream, and ends with anything else.
                raise aiohttp.ClientPayloadError(str(error)) from error
            if told:
                yield b"".join(told)

    def _take_in(self, line: bytes) -> bytes:
        """One line as kopf is to read it; raises ApiError where it tells of an error."""
        event = read_event(line, self.path, self._decode)
        self.health.heard()
        return self._inbox.put(event)
