"""Live reads: what a decision that cannot be taken back is checked against."""

import time
from typing import Final

from workflowexecution.control.cluster import Cluster
from workflowexecution.control.ledger import Ledger
from workflowexecution.core.facts.execution import parse_execution
from workflowexecution.core.facts.leftovers import Remains, parse_pod
from workflowexecution.core.facts.run import Run, parse_run
from workflowexecution.core.facts.taskrun import parse_task_run
from workflowexecution.core.verdict import Evidence
from workflowexecution.kube import errors

# Long enough to be shared by all who wait for one target, too short for a run to come and go.
_FRESH_FOR_S: Final = 1.0


class LiveReader:
    """Reads runs and executions live and enters what it sees into the ledger."""

    def __init__(self, cluster: Cluster, ledger: Ledger, *, namespace: str) -> None:
        self._cluster = cluster
        self._ledger = ledger
        self._namespace = namespace
        self._seen_at: dict[str, float] = {}

    def is_fresh(self, run_name: str) -> bool:
        """Whether this run was read, or written by us, a moment ago."""
        return time.monotonic() - self._seen_at.get(run_name, float("-inf")) < _FRESH_FOR_S

    def vouch(self, run_name: str) -> None:
        """Note that this run has just been read live, or answered to our own write."""
        now = time.monotonic()
        self._seen_at = {
            name: seen for name, seen in self._seen_at.items() if now - seen < _FRESH_FOR_S
        }
        self._seen_at[run_name] = now

    async def look(self, run_name: str) -> Run | None:
        """Read a run, and, where it ended badly, whether all of it has stopped.

        Returns: the run, or None where it does not exist.
        Raises: ApiError where the cluster gives no answer.
        """
        try:
            run = parse_run(await self._cluster.get_run(run_name))
        except errors.NotFoundError:
            self._ledger.forget_run(run_name)
            run = None
        if run is not None:
            self._ledger.observe_run(run)
            if run.succeeded == "False":
                await self.remains(run.name)
        self.vouch(run_name)
        return self._ledger.run(run_name)

    async def remains(self, run_name: str) -> Remains:
        """Read what is left of a run, which may itself be gone.

        A run that has ended and has nothing active left is known to have stopped from then on.
        """
        task_runs = await self._cluster.list_task_runs(self._namespace, run_name)
        pods = await self._cluster.list_pods(self._namespace, run_name)
        found = Remains(
            task_runs=tuple(parse_task_run(raw) for raw in task_runs),
            pods=tuple(parse_pod(raw) for raw in pods),
        )
        run = self._ledger.run(run_name)
        if run is not None and run.has_ended and not found.is_active:
            self._ledger.mark_stopped(run.name, run.uid)
        return found

    async def confirm(self, evidence: Evidence) -> None:
        """Refresh what the ledger knows of a holder: its run and, where that is gone, its owner."""
        if await self.look(evidence.run_name) is None:
            await self.look_at_execution(evidence.namespace, evidence.name)

    async def look_at_execution(self, namespace: str, name: str, uid: str | None = None) -> None:
        """Read an execution; with a UID, drop that one where another has taken its name."""
        try:
            seen = parse_execution(await self._cluster.get_execution(namespace, name))
        except errors.NotFoundError:
            gone = [
                item.uid
                for item in self._ledger.executions()
                if (item.namespace, item.name) == (namespace, name)
            ]
            for item in gone:
                self._ledger.forget_execution(item)
            return
        self._ledger.observe_execution(seen)
        if uid is not None and uid != seen.uid:
            self._ledger.forget_execution(uid)
