"""The journal for receivers that send again: all executions of this operator, and one mark."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime

from workflowexecution.client.cluster import Cluster
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.names import Shard
from workflowexecution.kube import errors
from workflowexecution.kube.clock import Clock


class Journal:
    """Reads executions from the API server: the cache keeps only a part of them.

    is_left: whether another installation serves a namespace.
    """

    def __init__(
        self, cluster: Cluster, shard: Shard, clock: Clock, is_left: Callable[[str], bool]
    ) -> None:
        self._cluster = cluster
        self._shard = shard
        self._clock = clock
        self._is_left = is_left

    async def executions(self) -> AsyncIterator[Execution]:
        """Yield each execution that this operator serves, whole. Raises: ApiError."""
        async for raw in self._cluster.list_executions():
            execution = parse_execution(raw)
            if self._shard.holds(execution.target_key) and not self._is_left(execution.namespace):
                yield execution

    async def read_mark(self) -> str:
        """The mark as it was last written; empty for none. Raises: ApiError."""
        try:
            return await self._cluster.read_mark(self._shard)
        except errors.NotFoundError:
            return ""

    async def write_mark(self, text: str) -> None:
        """Keep a mark. Raises: ApiError."""
        await self._cluster.write_mark(self._shard, text)

    def now(self) -> datetime:
        """The API server's time, aware UTC."""
        return self._clock.now()
