"""Where events come in: entered into the ledger, and the executions they touch queued."""

from collections.abc import Callable
from typing import Any

import structlog

from workflowexecution.control.cluster import Cluster
from workflowexecution.control.ledger import Ledger
from workflowexecution.control.workqueue import WorkQueue
from workflowexecution.core.facts.execution import parse_execution
from workflowexecution.core.facts.run import Run, parse_run

TakeIn = Callable[[str | None, dict[str, Any]], None]


class Intake:
    """Takes in watch events and full lists; decides nothing and never raises on an event."""

    def __init__(self, ledger: Ledger, queue: WorkQueue) -> None:
        self._ledger = ledger
        self._queue = queue
        self._log = structlog.get_logger("inbox")

    def on_execution(self, event_type: str | None, raw: dict[str, Any]) -> None:
        """Take in one event of an execution; the type is None for one that was listed."""
        self._guarded(self._on_execution, event_type, raw)

    def on_run(self, event_type: str | None, raw: dict[str, Any]) -> None:
        """Take in one event of a run; the type is None for one that was listed."""
        self._guarded(self._on_run, event_type, raw)

    def _guarded(self, take_in: TakeIn, event_type: str | None, raw: dict[str, Any]) -> None:
        try:
            take_in(event_type, raw)
        except Exception as error:
            # One object nobody foresaw must not cost the events of all others.
            name = raw.get("metadata", {}).get("name")
            self._log.error("event not understood", object=name, exc_info=error)

    async def resync(self, cluster: Cluster) -> None:
        """Bring the ledger in step with full lists and queue everything that may need work."""
        before = self._ledger.names_and_uids()
        executions = [parse_execution(raw) async for raw in cluster.list_executions()]
        runs = [run async for raw in cluster.list_runs() if (run := parse_run(raw)) is not None]
        self._ledger.replace(before, executions, runs)
        unsettled = [item.uid for item in self._ledger.executions() if item.raw is not None]
        owners = [uid for run in runs if (uid := self._owner_to_look_at(run))]
        for uid in dict.fromkeys([*unsettled, *owners]):
            self._queue.add(uid)

    def _on_execution(self, event_type: str | None, raw: dict[str, Any]) -> None:
        execution = parse_execution(raw)
        if event_type == "DELETED":
            self._ledger.forget_execution(execution.uid)
            return
        known = self._ledger.execution(execution.uid)
        self._ledger.observe_execution(execution)
        is_news = known is None or known.resource_version != execution.resource_version
        if execution.raw is not None and is_news:
            self._queue.add(execution.uid)

    def _on_run(self, event_type: str | None, raw: dict[str, Any]) -> None:
        run = parse_run(raw)
        if run is None:
            return
        if event_type == "DELETED":
            self._ledger.forget_run(run.name, run.uid)
        else:
            self._ledger.observe_run(run)
        if uid := self._owner_to_look_at(run):
            self._queue.add(uid)

    def _owner_to_look_at(self, run: Run) -> str | None:
        """UID of a run's execution; of one that has ended only while the run has not."""
        owner = self._ledger.execution(run.owner.uid) if run.owner is not None else None
        if owner is None or (owner.raw is None and run.has_ended):
            return None
        return owner.uid
