"""The controller put together: what events go into, and what is done about them."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from workflowexecution.cache.gaps import Gaps
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
from workflowexecution.kube.clock import Clock
from workflowexecution.observe.event_sinks import EventSink
from workflowexecution.observe.metrics import Metrics

# Every request of a pass has a time limit; passes of which none ends for so long hang.
_STUCK_AFTER_S: Final = 120.0


class NewQueue(Protocol):
    """Makes a work queue; ``on_failure`` is called for every pass that raises."""

    def __call__(self, *, concurrency: int, on_failure: Callable[[], None]) -> WorkQueue[Any]:
        """Make one."""
        ...


class Controller:
    """Everything between the watches and the cluster; ``events`` is where changes go.

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
        new_queue: NewQueue = WorkQueue,
    ) -> None:
        self._cluster = cluster
        self._metrics = metrics
        self._has_relisted = False
        self._is_open = False
        self.gaps = gaps = Gaps()
        self.claims = Claims(cluster, policy, gaps.note)
        self.store = store = Store(
            policy.template.namespace,
            keeps_endings=policy.guards.are_on,
            is_left=self.claims.is_left,
        )
        self.memory = memory = Memory()
        failed = metrics.pass_failures.labels
        self._executions = executions = new_queue(
            concurrency=concurrency, on_failure=failed(kind="execution").inc
        )
        self._runs = runs = new_queue(concurrency=concurrency, on_failure=failed(kind="run").inc)
        self.holds = Holds(store, executions)
        self.events = EventHandler(store, memory, gaps, clock, policy, executions, runs)
        self._recorder = recorder = Recorder(cluster, metrics, clock, event_sinks)
        reader = LiveReads(cluster, store, memory, clock, policy.shard, executions, runs)
        launcher = Launcher(cluster, reader, memory, recorder, policy, clock)
        run_status = RunStatusReporter(reader, SilentRuns(cluster, clock), memory, policy, clock)
        self._execution_reconciler = ExecutionReconciler(
            store,
            memory,
            gaps,
            reader,
            Actions(cluster, store, memory, reader, launcher, run_status, policy, clock, runs),
            StatusWriter(cluster, store, memory, reader, recorder, policy, clock),
            policy,
            clock,
            runs,
            holds=self.holds.current,
            claim=self.claims.take,
        )
        self._run_reconciler = RunReconciler(
            cluster, store, memory, reader, recorder, policy, clock, executions
        )
        self._relist = Relist(cluster, store, memory, reader, policy, clock, executions, runs)
        self._retention = Retention(cluster, metrics)
        set_gauges(metrics, store, memory, executions, runs, self.holds.current, clock)
        metrics.namespaces_left.set_function(self.claims.count_left)

    def open(self) -> None:
        """Begin to work; the first relist must be done."""
        self._is_open = True
        self.claims.open()
        self._executions.open(self._execution_reconciler.reconcile)
        self._runs.open(self._run_reconciler.reconcile)
        self._relist.queue_all()

    async def relist(self) -> None:
        """List everything and, once open, begin to remove history that is old enough."""
        self.gaps.begin_relist()
        await self.claims.relist()
        await self.holds.relist(self._cluster.list_holds())
        found = await self._relist.relist()
        self.gaps.end_relist()
        if self._has_relisted:
            self._metrics.repaired.labels(kind="execution").inc(found.missed_executions)
            self._metrics.repaired.labels(kind="run").inc(found.missed_runs)
        self._has_relisted = True
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
