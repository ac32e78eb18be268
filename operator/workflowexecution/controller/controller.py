"""The parts that reconcile, put together."""

import asyncio
from collections.abc import Sequence
from typing import Final

from workflowexecution.cache.memory import Memory
from workflowexecution.cache.policy import Policy
from workflowexecution.cache.store import Store
from workflowexecution.client.cluster import Cluster
from workflowexecution.controller.actions import Actions
from workflowexecution.controller.claims import Claims
from workflowexecution.controller.event_handler import EventHandler
from workflowexecution.controller.execution import ExecutionReconciler
from workflowexecution.controller.gauges import set_gauges
from workflowexecution.controller.holds import Holds
from workflowexecution.controller.launch import Launcher
from workflowexecution.controller.live_reads import LiveReads
from workflowexecution.controller.recorder import Recorder
from workflowexecution.controller.relist import Relist
from workflowexecution.controller.retention import Retention
from workflowexecution.controller.run import RunReconciler
from workflowexecution.controller.run_status import RunStatusReporter
from workflowexecution.controller.silent_runs import SilentRuns
from workflowexecution.controller.status_writer import StatusWriter
from workflowexecution.controller.workqueue import WorkQueue
from workflowexecution.core.facts.run import RunKey
from workflowexecution.kube.clock import Clock
from workflowexecution.observe.event_sinks import EventSink
from workflowexecution.observe.metrics import Metrics

# Every request of a pass has a time limit; passes of which none ends for so long hang.
_STUCK_AFTER_S: Final = 120.0


class Controller:
    """Everything between the watches and the cluster; ``intake`` is where events go.

    Until it is opened it only learns: nothing is written.
    """

    def __init__(
        self,
        cluster: Cluster,
        policy: Policy,
        metrics: Metrics,
        clock: Clock,
        *,
        concurrency: int,
        event_sinks: Sequence[EventSink] = (),
    ) -> None:
        self.claims = Claims(cluster, policy, lambda: self.handler.missed())
        store = Store(
            policy.template.namespace,
            keeps_endings=policy.guards.are_on,
            is_left=self.claims.is_left,
        )
        memory = Memory()
        self._recorder = Recorder(cluster, metrics, clock, event_sinks)
        failures = metrics.pass_failures
        self._executions: WorkQueue[str] = WorkQueue(
            self._reconcile,
            concurrency=concurrency,
            on_failure=failures.labels(kind="execution").inc,
        )
        self._runs: WorkQueue[RunKey] = WorkQueue(
            self._reconcile_run, concurrency=concurrency, on_failure=failures.labels(kind="run").inc
        )
        self.holds = Holds(store, self._executions)
        self._list_holds = cluster.list_holds
        reader = LiveReads(
            cluster, store, memory, clock, policy.shard, self._executions, self._runs
        )
        self._execution_reconciler = ExecutionReconciler(
            store,
            memory,
            reader,
            Actions(
                cluster,
                store,
                memory,
                reader,
                Launcher(cluster, reader, memory, self._recorder, policy, clock),
                RunStatusReporter(reader, SilentRuns(cluster, clock), memory, policy, clock),
                policy,
                clock,
                self._runs,
            ),
            StatusWriter(cluster, store, memory, reader, self._recorder, clock),
            policy,
            clock,
            self._runs,
            is_current=lambda: not (self._is_behind or self.handler.needs_resync),
            holds=self.holds.current,
            claim=self.claims.take,
        )
        self._run_reconciler = RunReconciler(
            cluster, store, memory, reader, self._recorder, policy, clock, self._executions
        )
        self._resync = Relist(
            cluster, store, memory, reader, policy, clock, self._executions, self._runs
        )
        self._retention = Retention(cluster, metrics)
        self._metrics = metrics
        self._is_open = False
        self._has_resynced = False
        self._is_behind = False
        self.store = store
        self.memory = memory
        self.handler = EventHandler(store, memory, clock, policy, self._executions, self._runs)
        set_gauges(metrics, store, memory, self._executions, self._runs, self.holds.current, clock)
        metrics.namespaces_left.set_function(self.claims.count_left)

    def open(self) -> None:
        """Begin to work; the first resync must be done."""
        self._is_open = True
        self.claims.open()
        self._executions.open()
        self._runs.open()
        self._resync.queue_all()

    async def resync(self) -> None:
        """List everything anew and, once open, begin to remove history that is old enough."""
        self._is_behind = self._is_behind or self.handler.needs_resync
        self.handler.needs_resync = False
        await self.claims.list_anew()
        await self.holds.list_anew(self._list_holds())
        found = await self._resync.resync()
        self._is_behind = False
        if self._has_resynced:
            self._metrics.repaired.labels(kind="execution").inc(found.missed_executions)
            self._metrics.repaired.labels(kind="run").inc(found.missed_runs)
        self._has_resynced = True
        if self._is_open:
            self._retention.start(found.candidates)

    def not_alive(self) -> str:
        """Why a new process may do better than this one; empty while there is no reason."""
        stuck = max(self._executions.stuck_for(), self._runs.stuck_for())
        return f"no pass has ended for {stuck:.0f} s" if stuck > _STUCK_AFTER_S else ""

    def depth(self) -> int:
        """Number of executions and runs with work to do now."""
        return len(self._executions) + len(self._runs)

    async def close(self, *, grace: float) -> None:
        """Let passes under way end, for at most ``grace`` seconds."""
        await asyncio.gather(self._retention.close(), self.claims.close())
        await asyncio.gather(self._executions.close(grace=grace), self._runs.close(grace=grace))
        await self._recorder.close(grace=5)

    async def _reconcile(self, uid: str) -> float | None:
        return await self._execution_reconciler.reconcile(uid)

    async def _reconcile_run(self, key: RunKey) -> float | None:
        return await self._run_reconciler.reconcile(key)
