"""The controller: every component between the watches and the cluster, put together."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from workflowexecution.cache.memory import Gaps, Memory
from workflowexecution.cache.store import Store
from workflowexecution.client.cluster import Cluster
from workflowexecution.controller.actions import Actions
from workflowexecution.controller.claims import Claims
from workflowexecution.controller.context import Context
from workflowexecution.controller.execution import ExecutionReconciler
from workflowexecution.controller.handlers import EventHandler
from workflowexecution.controller.holds import Holds
from workflowexecution.controller.journal import Journal
from workflowexecution.controller.live_reads import LiveReads
from workflowexecution.controller.recorder import EventSink, Recorder
from workflowexecution.controller.relist import Relist
from workflowexecution.controller.retention import Retention
from workflowexecution.controller.run import RunReconciler
from workflowexecution.controller.run_status import RunStatusReporter, SilentRuns
from workflowexecution.controller.status_writer import StatusWriter
from workflowexecution.controller.workqueue import WorkQueue
from workflowexecution.core.facts.hold import Hold, hold_on
from workflowexecution.core.facts.run import Run, RunKey, RunState
from workflowexecution.core.policy import Policy
from workflowexecution.kube.clock import Clock
from workflowexecution.observe.metrics import Metrics

# Each request of a pass has a time limit. If no pass ends for this long, the passes hang.
_STUCK_AFTER_S: Final = 120.0


class NewQueue(Protocol):
    """Creates a workqueue; ``on_failure`` is called for every pass that raises."""

    def __call__(self, *, concurrency: int, on_failure: Callable[[], None]) -> WorkQueue[Any]:
        """Create one."""
        ...


class Controller:
    """Every component between the watches and the cluster; ``events`` takes in watch events.

    Before ``open`` it only fills its cache; it writes nothing.
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
        why_holds_are_stale: Callable[[], str] = lambda: "",
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
        self._recorder = recorder = Recorder(cluster, metrics, clock, event_sinks)
        self.context = context = Context(
            cluster, store, memory, recorder, policy, clock, executions, runs
        )
        self.holds = Holds(store, memory, executions, clock, why_holds_are_stale)
        self.events = EventHandler(context, gaps)
        reader = LiveReads(context)
        run_status = RunStatusReporter(context, reader, SilentRuns(cluster))
        self.actions = Actions(context, reader, run_status)
        self._execution_reconciler = ExecutionReconciler(
            context,
            gaps,
            reader,
            self.actions,
            StatusWriter(context, reader),
            holds=self.holds.current,
            claim=self.claims.take,
        )
        self._run_reconciler = RunReconciler(context, reader)
        self._relist = Relist(context, reader)
        self._journal = Journal(cluster, policy.shard, clock, self.claims.is_left)
        self._retention = Retention(cluster, metrics)
        set_gauges(metrics, store, memory, executions, runs, self.holds.current, clock)
        metrics.namespaces_left.set_function(self.claims.count_left)

    def open(self) -> None:
        """Start the passes; the first relist must be done."""
        self._is_open = True
        self.claims.open()
        # Before the first pass: what that writes is then newer than what is read again.
        self._recorder.open(self._journal)
        self._executions.open(self._execution_reconciler.reconcile)
        self._runs.open(self._run_reconciler.reconcile)
        self._relist.queue_all()

    async def relist(self) -> None:
        """List everything and, once open, begin to remove old history."""
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
        """The reason to restart the process; empty while there is none."""
        stuck = max(self._executions.stuck_for(), self._runs.stuck_for())
        return f"no pass has ended for {stuck:.0f} s" if stuck > _STUCK_AFTER_S else ""

    def depth(self) -> int:
        """Number of executions and runs that wait for a pass or are in one."""
        return len(self._executions) + len(self._runs)

    async def close(self, *, grace: float) -> None:
        """Wait until running passes end, for at most ``grace`` seconds."""
        await asyncio.gather(self._retention.close(), self.claims.close())
        await asyncio.gather(self._executions.close(grace=grace), self._runs.close(grace=grace))
        await self._recorder.close(grace=5)


def set_gauges(
    metrics: Metrics,
    store: Store,
    memory: Memory,
    executions: WorkQueue[str],
    runs: WorkQueue[RunKey],
    holds: Callable[[], Sequence[Hold]],
    clock: Clock,
) -> None:
    """Set the functions that the gauges call when they are read."""
    metrics.queue_depth.set_function(lambda: len(executions) + len(runs))
    metrics.queue_age.set_function(lambda: max(executions.oldest_age(), runs.oldest_age()))
    metrics.stuck.set_function(memory.stuck_runs)
    metrics.active.set_function(lambda: len(_holding(store)))
    metrics.locks_held.set_function(lambda: len({run.target_key for run in _holding(store)}))
    metrics.oldest_run_age.set_function(lambda: _oldest_age(store, clock))
    metrics.held.set_function(lambda: _held_count(store, holds(), clock))
    metrics.consecutive_failures.set_function(store.endings.most_failures)
    remembered = {
        "execution": lambda: len(store.executions()),
        "run": lambda: len(store.runs()),
        "target": lambda: len(store.targets),
        "slot": lambda: len(store.numbers),
        "ending": lambda: len(store.endings),
        "pass": lambda: len(memory),
        "timer": lambda: executions.timer_count() + runs.timer_count(),
    }
    for kind, count in remembered.items():
        metrics.remembered.labels(kind=kind).set_function(count)


def _holding(store: Store) -> list[Run]:
    return [run for run in store.runs() if run.state is not RunState.FINISHED]


def _held_count(store: Store, holds: Sequence[Hold], clock: Clock) -> int:
    """Number of executions without a run that a hold applies to now."""
    now = clock.now()
    waiting = [item for item in store.executions() if not item.has_ended and not item.run_name]
    return sum(hold_on(holds, item, now) is not None for item in waiting)


def _oldest_age(store: Store, clock: Clock) -> float:
    """Seconds since the oldest run that holds its target was created."""
    now = clock.now()
    ages = ((now - run.created_at).total_seconds() for run in _holding(store))
    return max(ages, default=0.0)
