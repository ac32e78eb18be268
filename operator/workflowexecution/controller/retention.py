"""Retention: removes finished runs and ended executions at a limited rate, after their time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from workflowexecution.client.cluster import Cluster
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.kube import errors
from workflowexecution.observe.metrics import Metrics

# At most ten deletes of each kind a second: on average, fewer executions are created. A relist
# collects at most as many objects as are removed in ten minutes at this rate.
_PAUSE_S: Final = 0.1
_AT_ONCE: Final = 6000

Remove = Callable[[str, str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Candidate:
    namespace: str
    name: str
    uid: str


@dataclass(slots=True)
class Candidates:
    """Objects to remove; a limited number for each relist."""

    runs: list[_Candidate] = field(default_factory=list)
    executions: list[_Candidate] = field(default_factory=list)

    def add_run(self, run: Run) -> None:
        """Note a run."""
        if len(self.runs) < _AT_ONCE:
            self.runs.append(_Candidate(run.namespace, run.name, run.uid))

    def add_execution(self, execution: Execution) -> None:
        """Note an execution."""
        if len(self.executions) < _AT_ONCE:
            found = _Candidate(execution.namespace, execution.name, execution.uid)
            self.executions.append(found)


class Retention:
    """Removes one object after the other; one that cannot be removed waits for the next relist."""

    def __init__(self, cluster: Cluster, metrics: Metrics) -> None:
        self._cluster = cluster
        self._metrics = metrics
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("retention")

    def start(self, candidates: Candidates) -> None:
        """Begin to remove; does nothing while the last removal is running."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self.remove(candidates))

    async def remove(self, candidates: Candidates) -> None:
        """Remove all of them, both kinds in parallel, so that neither waits for the other.

        Never raises. A refusal is logged and left for the next relist; the others are removed.
        An API server that does not answer ends the removal of that kind.
        """
        await asyncio.gather(
            self._remove_all("run", candidates.runs, self._cluster.remove_run),
            self._remove_all("execution", candidates.executions, self._cluster.remove_execution),
        )

    async def _remove_all(self, kind: str, found: Sequence[_Candidate], remove: Remove) -> None:
        try:
            for item in found:
                await asyncio.sleep(_PAUSE_S)
                await self._remove_one(kind, remove, item)
        except errors.ApiError as error:
            answer = errors.text_for_logs(error)
            self._log.warning("history not removed", kind=kind, error=answer)

    async def _remove_one(self, kind: str, remove: Remove, item: _Candidate) -> None:
        try:
            await remove(item.namespace, item.name, item.uid)
        except (errors.NotFoundError, errors.ConflictError):
            return  # It is gone, or another has its name.
        except errors.MissingRightError:
            raise  # Nothing of this kind can be removed.
        except (errors.RejectedError, errors.ForbiddenError) as error:
            answer = errors.text_for_logs(error)
            self._log.warning("not removed", kind=kind, name=item.name, error=answer)
            return
        self._metrics.removed.labels(kind=kind).inc()

    async def close(self) -> None:
        """Stop removing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
