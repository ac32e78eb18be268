"""The holds in the cluster, updated by a watch and by each relist."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import structlog

from workflowexecution.cache.memory import Memory
from workflowexecution.cache.store import Store
from workflowexecution.controller.workqueue import WorkQueue
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import Hold, parse_hold
from workflowexecution.kube.clock import Clock

Raw = dict[str, Any]


class Holds:
    """All holds; a change queues every execution that has not been launched.

    The memory of an execution gets the time at which a hold on it was lifted.

    why_stale: returns why the holds may be incomplete; empty while they are complete.
    """

    def __init__(
        self,
        store: Store,
        memory: Memory,
        executions: WorkQueue[str],
        clock: Clock,
        why_stale: Callable[[], str],
    ) -> None:
        self._store = store
        self._memory = memory
        self._clock = clock
        self._executions = executions
        self._holds: dict[str, Hold] = {}
        # Names with a watch event during the listing: the list may be older.
        self._reported: set[str] = set()
        self._why_stale = why_stale
        self._log = structlog.get_logger("holds")

    def current(self) -> Sequence[Hold]:
        """All holds, including expired ones; if holds cannot be read, one hold on everything."""
        if problem := self._why_stale():
            return (Hold(problem=problem),)
        return tuple(self._holds.values())

    def on_event(self, event_type: str, raw: Raw) -> None:
        """Take in one event of a hold; never raises."""
        try:
            self._on_event(event_type, raw)
        except Exception as error:
            # One malformed object must not stop the events of all others.
            self._log.error("event not understood", exc_info=error)

    def _on_event(self, event_type: str, raw: Raw) -> None:
        name = raw["metadata"]["name"]
        self._reported.add(name)
        # A deleted hold is lifted, even while a finalizer keeps the object.
        is_lifted = event_type == "DELETED" or _is_deleted(raw)
        self._set({name: None if is_lifted else parse_hold(raw)})

    async def relist(self, listed: AsyncIterator[Raw]) -> None:
        """Take in a list of all holds; where it raises ApiError, nothing changes."""
        self._reported.clear()
        found = {
            hold.name: hold
            for hold in [parse_hold(raw) async for raw in listed if not _is_deleted(raw)]
        }
        gone = dict.fromkeys(self._holds.keys() - found.keys())
        reported = self._reported
        self._set({name: hold for name, hold in {**found, **gone}.items() if name not in reported})

    def _set(self, changes: dict[str, Hold | None]) -> None:
        news = {name: hold for name, hold in changes.items() if hold != self._holds.get(name)}
        for name, hold in news.items():
            if hold is None:
                self._note_end_of(self._holds.pop(name))
                self._log.info("hold lifted", hold=name)
            else:
                self._holds[name] = hold
                understood = not hold.problem
                self._log.info("hold", hold=name, scope=hold.scope, understood=understood)
        if news:
            self._queue_waiting()

    def _note_end_of(self, hold: Hold) -> None:
        """Remember when what waited for a hold that was lifted was free to be launched."""
        now = self._clock.now()
        if hold.is_over(now):
            return
        for item in self._waiting():
            if hold.concerns(item.target, item.workflow_id, item.namespace):
                self._memory.execution(item.uid).freed_at = now

    def _queue_waiting(self) -> None:
        for execution in self._waiting():
            self._executions.add(execution.uid)

    def _waiting(self) -> list[Execution]:
        """Executions that have not been launched."""
        return [item for item in self._store.executions() if item.run_name is None]


def _is_deleted(raw: Raw) -> bool:
    return "deletionTimestamp" in raw["metadata"]
