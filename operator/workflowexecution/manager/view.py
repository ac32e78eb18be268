"""A running operator, for others: a read-only view for the status page, and a published document.

The document has the settings and the state, for commands that explain decisions.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

import structlog

from workflowexecution import __version__
from workflowexecution.cache.store import Store
from workflowexecution.core.facts.hold import Hold
from workflowexecution.core.names import Shard
from workflowexecution.core.policy import Policy, Published, settings_of
from workflowexecution.kube import errors
from workflowexecution.kube.clock import Clock

# A state that changes quickly is written no more often than this.
_PAUSE_S: Final = 5.0
# After an answer that may be another one soon; after others, the next relist is soon enough.
_RETRY_S: Final = 15.0


class EventListener(Protocol):
    """Receives each event of the watches; must return at once and never raises."""

    def on_execution(self, event_type: str, raw: dict[str, Any]) -> None:
        """Take in a change of an execution."""
        ...

    def on_run(self, event_type: str, raw: dict[str, Any]) -> None:
        """Take in a change of a run."""
        ...

    def missed(self) -> None:
        """Note that changes may have been missed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderStatus:
    """The leader status of one of several operators.

    identity: empty where there is no election, and each operator works.
    leader: as last seen; empty for none.
    """

    identity: str = ""
    leader: str = ""

    @property
    def is_standby(self) -> bool:
        """Whether another operator leads."""
        return bool(self.identity) and self.identity != self.leader


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorView:
    """A view into one operator.

    cache: to be read only, and without waiting between reads.
    stale_reason: why the data may be incomplete or stale; empty where it is current.
    """

    store: Store
    policy: Policy
    clock: Clock
    holds: Callable[[], Sequence[Hold]]
    standing: Callable[[], LeaderStatus]
    stale_reason: Callable[[], str]


class Publisher:
    """Writes when the operator begins to work, when its state changes, and after each relist.

    write: sends the document of a shard; raises ApiError.
    problem: returns why the operator is not ready or its facts may be stale, always in the same
        words for the same reason; empty where nothing is wrong.
    """

    def __init__(
        self,
        write: Callable[[Shard, str], Awaitable[None]],
        policy: Policy,
        clock: Clock,
        *,
        resync_interval: timedelta,
        written_by: str,
        problem: Callable[[], str],
    ) -> None:
        self._write = write
        self._shard = policy.shard
        self._settings = settings_of(policy, resync_interval)
        self._clock = clock
        self._written_by = written_by
        self._problem = problem
        self._is_open = False
        self._said = ""
        self._due_at: float | None = None
        self._not_before = 0.0
        self._writing: asyncio.Task[None] | None = None
        # Each reason is logged once, until a write succeeds.
        self._warned: set[type[errors.ApiError]] = set()
        self._log = structlog.get_logger("publisher")

    def open(self) -> None:
        """Write, and go on writing: the operator works from now on."""
        self._is_open = True
        self.write_again()
        self.tick()

    def write_again(self) -> None:
        """Have the next tick write, so that readers see how old the document is."""
        self._due_at = self._clock.monotonic()

    def tick(self) -> None:
        """Begin to write where that is due; to be called about once a second, and returns at once.

        The work never waits for it.
        """
        now = self._clock.monotonic()
        if not self._is_open or now < self._not_before or self._is_writing():
            return
        problem = self._problem()
        is_due = self._due_at is not None and now >= self._due_at
        if is_due or problem != self._said:
            self._due_at, self._said, self._not_before = None, problem, now + _PAUSE_S
            self._writing = asyncio.create_task(self._publish(problem))

    async def close(self) -> None:
        """Write no more."""
        self._is_open = False
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)

    def _is_writing(self) -> bool:
        return self._writing is not None and not self._writing.done()

    async def _publish(self, problem: str) -> None:
        entry = Published(
            version=__version__,
            shard=self._shard,
            written_at=self._clock.now(),
            written_by=self._written_by,
            problem=problem,
            settings=self._settings,
        )
        try:
            await self._write(self._shard, entry.to_text())
        except errors.ApiError as error:
            self._note_failure(error)
        else:
            self._warned.clear()

    def _note_failure(self, error: errors.ApiError) -> None:
        if isinstance(error, errors.UnavailableError | errors.ConflictError):
            self._due_at = self._clock.monotonic() + _RETRY_S
        if type(error) in self._warned:
            return
        self._warned.add(type(error))
        hint = "; apply its release again" if isinstance(error, errors.MissingRightError) else ""
        self._log.warning(
            "settings not published: kubectl wfe cannot use them",
            problem=f"{errors.text_for_logs(error)}{hint}",
        )
