"""Sends CloudEvents until their sink takes them, also after a crash or a change of leader.

No execution notes that its events were taken: that would be a write for each. One mark is kept
instead, the time before which every event was taken. The next leader reads the executions, and
sends what is newer than the mark. Nothing waits for any of this. Imported only where it is used.
"""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import aiohttp
import structlog
from prometheus_client import Counter

from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.kube import retry
from workflowexecution.observe.cloud_event_keeper import Journal, Keeper
from workflowexecution.observe.cloud_event_outbox import Outbox
from workflowexecution.observe.cloud_events import Notice, notices_of

_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)
_LEAVE_S: Final = 3.0
# Answers about this very event. All others may change without it: a missing route, a token.
_FINAL: Final = (400, 410, 413, 415, 422)
_NOT_TAKEN: Final = (aiohttp.ClientError, TimeoutError, OSError)


class _RefusedError(Exception):
    """The sink does not want an event."""


class CloudEventSink:
    """Sends the events of each execution in order; see EventSink.

    window: how long an event is sent again; an older one is given up.
    """

    def __init__(
        self, sink: str, results: Counter, *, window: timedelta, with_trace: bool = False
    ) -> None:
        self._sink = sink
        self._results = results
        self._window = window
        self._with_trace = with_trace
        self._outbox = Outbox()
        self._keeper: Keeper | None = None
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        self._sender = asyncio.create_task(self._send_all(), name="CloudEvents")
        self._log = structlog.get_logger("cloudevents")

    def open(self, journal: Journal) -> None:
        """See EventSink."""
        self._keeper = Keeper(self._outbox, journal, self._window, with_trace=self._with_trace)

    def launched(self, execution: Execution, run: Run, *, seconds: float, now: datetime) -> None:
        """Nothing: the phase tells it."""

    def phase_changed(
        self,
        execution: Execution,
        before: WorkflowExecutionStatus,
        after: WorkflowExecutionStatus,
        *,
        now: datetime,
    ) -> None:
        """See EventSink."""
        for notice in notices_of(execution, before, with_trace=self._with_trace):
            self._outbox.add(execution.uid, notice)

    async def leave(self) -> None:
        """See EventSink: send what waits, if it is taken at once, and keep the mark."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE_S):
                await self._outbox.until_empty()
        if self._outbox:
            number = len(self._outbox)
            self._log.warning("CloudEvents are left for the next leader", number=number)
        if self._keeper is not None:
            await self._keeper.close()

    async def close(self) -> None:
        """See EventSink."""
        self._sender.cancel()
        await asyncio.gather(self._sender, return_exceptions=True)
        await self._session.close()

    async def _send_all(self) -> None:
        """Send without end; an execution whose event is not taken goes behind all others."""
        waits, is_failing = iter(retry.EndlessWaits()), False
        while True:
            uid, notice = await self._outbox.next()
            try:
                await self._send(uid, notice)
            except _NOT_TAKEN as error:
                self._count("retried")
                if not is_failing:
                    said = str(error) or type(error).__name__
                    self._log.warning("CloudEvents are not taken; they wait", error=said)
                is_failing = True
                self._outbox.postpone(uid)
                await asyncio.sleep(next(waits))
            else:
                waits, is_failing = iter(retry.EndlessWaits()), False

    async def _send(self, uid: str, notice: Notice) -> None:
        """Send an event, and settle it. Raises: one of _NOT_TAKEN where it must be sent again."""
        try:
            if self._keeper and self._keeper.is_too_old(notice.at):
                raise _RefusedError("it is older than what is sent again")
            await self._post(notice)
        except _NOT_TAKEN:
            raise
        except Exception as error:
            self._outbox.settle(uid, notice)
            self._count("failed")
            what = notice.message.headers.get("ce-type", "")
            self._log.warning("CloudEvent not delivered", type=what, error=str(error))
        else:
            self._outbox.settle(uid, notice)
            self._count("delivered")

    async def _post(self, notice: Notice) -> None:
        message = notice.message
        async with self._session.post(
            self._sink, data=message.body, headers=message.headers, allow_redirects=False
        ) as response:
            # The URL is left out: it may contain a token.
            answered = f"the sink answered {response.status}"
            if response.status in _FINAL:
                raise _RefusedError(answered)
            if response.status >= 300:
                raise aiohttp.ClientError(answered)

    def _count(self, result: str) -> None:
        self._results.labels(result=result).inc()
