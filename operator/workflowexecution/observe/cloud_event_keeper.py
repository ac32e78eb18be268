"""Finds CloudEvents that may not have been taken, and keeps the mark: for as long as this leads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from workflowexecution.api import reading
from workflowexecution.api.reading import format_time
from workflowexecution.core.facts.execution import Execution
from workflowexecution.kube import errors, retry
from workflowexecution.observe.cloud_event_outbox import OVERLAP, Outbox
from workflowexecution.observe.cloud_events import last_change_of, notices_of

_TICK_S: Final = 1.0
_BETWEEN_MARKS_S: Final = 30.0
_BETWEEN_LISTS_S: Final = 15.0
# Number of executions between two pauses for other work.
_PIECE: Final = 100


class Journal(Protocol):
    """The executions of this operator, and its mark."""

    def executions(self) -> AsyncIterator[Execution]:
        """Yield each execution, whole. Raises: ApiError."""
        ...

    async def read_mark(self) -> str:
        """The mark as it was last written; empty for none. Raises: ApiError."""
        ...

    async def write_mark(self, text: str) -> None:
        """Keep a mark. Raises: ApiError."""
        ...

    def now(self) -> datetime:
        """The API server's time, aware UTC."""
        ...


class Keeper:
    """Fills an outbox with what an earlier leader has not sent, and what had no room.

    window: how long an event is sent again.
    """

    def __init__(
        self, outbox: Outbox, journal: Journal, window: timedelta, *, with_trace: bool
    ) -> None:
        self._outbox = outbox
        self._journal = journal
        self._window = window
        self._with_trace = with_trace
        self._mark = ""
        self._mark_due_at = self._list_due_at = 0.0
        self._log = structlog.get_logger("cloudevents")
        # Until the mark is read, all of them may be missing.
        outbox.note_unread(journal.now() - window)
        self._task = asyncio.create_task(self._keep(), name="CloudEvents kept")

    async def close(self) -> None:
        """Keep the mark a last time; the cluster is not asked again."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._outbox.has_settled:
            with suppress(errors.ApiError):
                await self._write_mark()

    def is_too_old(self, at: datetime) -> bool:
        """Whether an event of this time is given up."""
        return at < self._journal.now() - self._window

    async def _keep(self) -> None:
        self._outbox.unread_since = await self._first_unread()
        while True:
            now = asyncio.get_running_loop().time()
            try:
                since = self._outbox.unread_since
                if since and self._outbox.has_room and now >= self._list_due_at:
                    self._list_due_at = now + _BETWEEN_LISTS_S
                    await self._read_again(since)
                if self._outbox.has_settled and now >= self._mark_due_at:
                    self._mark_due_at = now + _BETWEEN_MARKS_S
                    await self._write_mark()
            except errors.ApiError as error:
                # A status whose answer was lost with this one is found within that time.
                self._mark_due_at = now + 2 * _BETWEEN_MARKS_S
                self._warn(error)
            await asyncio.sleep(_TICK_S)

    async def _first_unread(self) -> datetime:
        """The time from which on events may not have been taken."""
        text = await retry.until_it_succeeds(
            self._journal.read_mark,
            on=errors.ApiError,
            report=lambda error, _: self._warn(error),
            every_s=_BETWEEN_LISTS_S,
        )
        now = self._journal.now()
        with suppress(ValueError, OverflowError):
            return min(max(reading.parse_time(text) - OVERLAP, now - self._window), now)
        return now - self._window

    def _warn(self, error: BaseException) -> None:
        said = errors.text_for_logs(error)
        self._log.warning("the mark of CloudEvents is not kept; tried again", error=said)

    async def _read_again(self, since: datetime) -> None:
        """Add the events from a time on. Raises: ApiError, and they stay unread."""
        self._outbox.unread_since = None
        number, text = 0, format_time(since)
        try:
            async for execution in self._journal.executions():
                number += 1
                if number % _PIECE == 0:
                    await asyncio.sleep(0)
                if last_change_of(execution.raw) >= text:
                    self._add(execution, since.replace(microsecond=0))
        except (errors.ApiError, asyncio.CancelledError):
            self._outbox.note_unread(since)
            raise

    def _add(self, execution: Execution, since: datetime) -> None:
        try:
            found = notices_of(execution, with_trace=self._with_trace)
        except Exception as error:
            # One malformed object must not stop the events of all others.
            self._log.error("no CloudEvent can be built", exc_info=error)
            return
        for notice in found:
            if notice.at >= since:
                self._outbox.add(execution.uid, notice)

    async def _write_mark(self) -> None:
        """Keep the mark, if it is a newer one. Raises: ApiError."""
        mark = self._outbox.mark(self._journal.now())
        text = format_time(mark)
        if text > self._mark:
            await self._journal.write_mark(text)
            self._mark = text
            self._outbox.forget_before(mark)
