"""The parts that reconcile, put together."""

import asyncio
from collections.abc import Sequence
from typing import Final

from workflowexecution.control.announcer import Announcer
from workflowexecution.control.claims import Claims
from workflowexecution.control.cluster import Cluster
from workflowexecution.control.effects import Effects
from workflowexecution.control.execution_reconciler import ExecutionReconciler
from workflowexecution.control.gauges import set_gauges
from workflowexecution.control.holds import Holds
from workflowexecution.control.intake import Intake
from workflowexecution.control.launcher import Launcher
from workflowexecution.control.ledger import Ledger
from workflowexecution.control.live_reads import LiveReader
from workflowexecution.control.memory import Memory
from workflowexecution.control.mirror import Mirrorer
from workflowexecution.control.policy import Policy
from workflowexecution.control.resync import Resync
from workflowexecution.control.retention import Retention
from workflowexecution.control.run_reconciler import RunReconciler
from workflowexecution.control.silence import Onlooker
from workflowexecution.control.status_writer import StatusWriter
from workflowexecution.control.workqueue import WorkQueue
from workflowexecution.core.facts.run import RunKey
from workflowexecution.kube.clock import Clock
from workflowexecution.observe.followers import Follower
from workflowexecution.observe.metrics import Metrics

# Every request of a pass has a time limit; passes of which none ends for so long hang.
_STUCK_AFTER_S: Final = 120.0


class Parts:
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
        followers: Sequence[Follower] = (),
    ) -> None:
        self.claims = Claims(cluster, policy, lambda: self.intake.missed())
        ledger = Ledger(
            policy.template.namespace,
            keeps_endings=policy.guards.are_on,
            is_left=self.claims.is_left,
        )
        memory = Memory()
        self._announcer = Announcer(cluster, metrics, clock, followers)
        failures = metrics.pass_failures
        self._executions: WorkQueue[str] = WorkQueue(
            self._reconcile,
            concurrency=concurrency,
            on_failure=failures.labels(kind="execution").inc,
        )
        self._runs: WorkQueue[RunKey] = WorkQueue(
            self._reconcile_run, concurrency=concurrency, on_failure=failures.labels(kind="run").inc
        )
        self.holds = Holds(ledger, self._executions)
        self._list_holds = cluster.list_holds
        reader = LiveReader(
            cluster, ledger, memory, clock, policy.shard, self._executions, self._runs
        )
        self._execution_reconciler = ExecutionReconciler(
            ledger,
            memory,
            reader,
            Effects(
                cluster,
                ledger,
                memory,
                reader,
                Launcher(cluster, reader, memory, self._announcer, policy, clock),
                Mirrorer(reader, Onlooker(cluster, clock), memory, policy, clock),
                policy,
                clock,
                self._runs,
            ),
            StatusWriter(cluster, ledger, memory, reader, self._announcer, clock),
            policy,
            clock,
            self._runs,
            is_current=lambda: not (self._is_behind or self.intake.needs_resync),
            holds=self.holds.current,
            claim=self.claims.take,
        )
        self._run_reconciler = RunReconciler(
            cluster, ledger, memory, reader, self._announcer, policy, clock, self._executions
        )
        self._resync = Resync(
            cluster, ledger, memory, reader, policy, clock, self._executions, self._runs
        )
        self._retention = Retention(cluster, metrics)
        self._metrics = metrics
        self._is_open = False
        self._has_resynced = False
        self._is_behind = False
        self.ledger = ledger
        self.memory = memory
        self.intake = Intake(ledger, memory, clock, policy, self._executions, self._runs)
        set_gauges(metrics, ledger, memory, self._executions, self._runs, self.holds.current, clock)
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
        self._is_behind = self._is_behind or self.intake.needs_resync
        self.intake.needs_resync = False
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
        await self._announcer.close(grace=5)

    async def _reconcile(self, uid: str) -> float | None:
        return await self._execution_reconciler.reconcile(uid)

    async def _reconcile_run(self, key: RunKey) -> float | None:
        return await self._run_reconciler.reconcile(key)
