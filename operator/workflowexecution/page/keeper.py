"""Keeps the newest executions for as long as somebody looks, and nothing otherwise."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import structlog

from workflowexecution.core.facts.execution import parse_execution
from workflowexecution.kube import errors
from workflowexecution.page.recent import Recent

IDLE_S: Final = 300.0
# Deletions leave gaps in what is kept.
RENEW_S: Final = 600.0
_RETRY_S: Final = 5.0
_NEVER: Final = float("-inf")


class Keeper:
    """Fills a Recent by one list when somebody looks, and keeps it up to date by what it hears.

    ``fill`` reads all executions into a Recent and raises ApiError; ``tell`` is called when there
    is something new to be seen.
    """

    def __init__(
        self,
        fill: Callable[[Recent], Awaitable[None]],
        tell: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fill = fill
        self._tell = tell
        self._monotonic = monotonic
        self._shown: Recent | None = None
        self._fresh: Recent | None = None
        self._filling: asyncio.Task[None] | None = None
        self._looked_at = self._filled_at = _NEVER
        self._log = structlog.get_logger("page")

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept."""
        return self._shown is None

    def look(self) -> Recent:
        """What is kept, for one who looks; what is missing is read in the background."""
        now = self._looked_at = self._monotonic()
        if now - self._filled_at >= RENEW_S and self._fresh is None:
            self._filled_at, self._fresh = now, Recent()
            self._filling = asyncio.create_task(self._read(self._fresh), name="page list")
        if self._shown is None:
            self._shown = self._fresh or Recent()
        return self._shown

    def heard_of_execution(self, event_type: str, raw: dict[str, Any]) -> None:
        """Take in a change of an execution; never raises."""
        kept = {id(one): one for one in (self._shown, self._fresh) if one is not None}
        if not kept:
            return
        # What cannot be read is told of by the operator itself, which hears of it, too.
        with suppress(LookupError, TypeError, ValueError):
            seen = parse_execution(raw)
            for recent in kept.values():
                if event_type == "DELETED":
                    recent.drop(seen.namespace, seen.uid)
                else:
                    recent.take_in(seen)
        self._tell()

    def heard_of_run(self) -> None:
        """Note that a run has changed."""
        if self._shown is not None:
            self._tell()

    def missed(self) -> None:
        """Note that changes may have been missed: who looks next has everything read anew."""
        self._filled_at = _NEVER

    def forget_if_idle(self) -> None:
        """Let go of everything, where nobody has looked for a while."""
        if self._monotonic() - self._looked_at >= IDLE_S and self._fresh is None:
            self._shown, self._filled_at = None, _NEVER

    async def close(self) -> None:
        """Stop reading."""
        if self._filling is not None:
            self._filling.cancel()
            await asyncio.gather(self._filling, return_exceptions=True)

    async def _read(self, fresh: Recent) -> None:
        try:
            await self._fill(fresh)
            self._shown = fresh
        except errors.ApiError as error:
            self._log.warning("executions could not be read for the page", error=str(error))
            self._filled_at = self._monotonic() - RENEW_S + _RETRY_S
        finally:
            self._fresh = None
        self._tell()
