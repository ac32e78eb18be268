"""Operators at work on the model: the real control code in a loop of its own.

What an operator knows of others comes by watch events, delivered as late as the test likes. Its
passes begin when the test says so.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, cast

from builders import RUN_NAMESPACE, make_policy
from model_loop import ModelLoop
from model_requests import PASS_BEGAN, ModelCluster, Request
from model_server import Server
from model_store import EXECUTIONS, RUNS, Raw, clone
from workflowexecution.cache.memory import Memory
from workflowexecution.cache.policy import Policy
from workflowexecution.cache.store import Store
from workflowexecution.controller.actions import Actions
from workflowexecution.controller.event_handler import EventHandler
from workflowexecution.controller.execution import ExecutionReconciler
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
from workflowexecution.kube import errors
from workflowexecution.kube.clock import ServerClock
from workflowexecution.observe.metrics import Metrics

Key = str | tuple[str, str]
# The operator's client waits no longer than this for an answer.
PATIENCE: Final = timedelta(seconds=15)
# Shorter than the cooldown, which is to be kept all the same.
KEPT_FOR: Final = timedelta(seconds=30)


@cache
def policy_for(namespace: str, keeps_executions: bool) -> Policy:
    """The default settings, with history removed as soon as that is allowed."""
    policy = make_policy()
    kept = timedelta(0) if keeps_executions else KEPT_FOR
    retention = replace(policy.retention, runs=KEPT_FOR, failed_runs=KEPT_FOR, executions=kept)
    template = replace(policy.template, namespace=namespace)
    return replace(policy, retention=retention, template=template)


@cache
def no_metrics() -> Metrics:
    """Metrics that nobody reads, shared: making them takes longer than a pass."""
    return Metrics()


class Dirty:
    """Stands where the work queues do: what is added waits until the test has it worked on."""

    def __init__(self) -> None:
        self.keys: dict[Key, None] = {}
        self.is_open = False

    def add(self, key: Key) -> None:
        if self.is_open:
            self.keys[key] = None

    def add_within(self, key: Key, seconds: float) -> None:
        """At any time up to then; so also now."""
        self.add(key)


class Operator:
    """One operator process, from its start to its crash.

    It leads once it is opened. ``ahead`` is how far its own clock is ahead of the server's, which
    people may set at any time. One that is paused knows of nothing and does nothing.
    """

    def __init__(
        self,
        server: Server,
        ahead: timedelta = timedelta(0),
        *,
        namespace: str = RUN_NAMESPACE,
        keeps_executions: bool = True,
    ) -> None:
        self.server = server
        self.ahead = ahead
        self.namespace = namespace
        self.is_paused = False
        self.is_behind_lists = False
        self.faults: list[BaseException] = []
        self.loop = ModelLoop(server.seconds)
        clock = ServerClock(
            wall=lambda: (server.now + self.ahead).timestamp(), monotonic=server.seconds
        )
        self.cluster = cluster = ModelCluster(server, clock, namespace)
        cluster.told = lambda: self.seen[RUNS]
        self.dirty = Dirty()
        memory, policy = Memory(), policy_for(namespace, keeps_executions)
        store, metrics = Store(namespace), no_metrics()
        recorder = Recorder(cluster, metrics, clock)
        queue = cast("WorkQueue[Any]", self.dirty)
        reader = LiveReads(cluster, store, memory, clock, policy.shard, queue, queue)
        launcher = Launcher(cluster, reader, memory, recorder, policy, clock)
        mirror = RunStatusReporter(reader, SilentRuns(cluster, clock), memory, policy, clock)
        effects = Actions(cluster, store, memory, reader, launcher, mirror, policy, clock, queue)
        writer = StatusWriter(cluster, store, memory, reader, recorder, clock)
        self.holds = Holds(store, queue)
        self.executions = ExecutionReconciler(
            store,
            memory,
            reader,
            effects,
            writer,
            policy,
            clock,
            queue,
            is_current=lambda: not (self.is_behind_lists or self.handler.needs_resync),
            holds=self.holds.current,
        )
        self.runs = RunReconciler(cluster, store, memory, reader, recorder, policy, clock, queue)
        self.lists = Relist(cluster, store, memory, reader, policy, clock, queue, queue)
        self.retention = Retention(cluster, metrics)
        self.handler = EventHandler(store, memory, clock, policy, queue, queue)
        self.store, self.memory = store, memory
        self.tasks: dict[Key, asyncio.Task[None]] = {}
        self.listing: asyncio.Task[None] | None = None
        self.due: dict[Key, datetime] = {}
        self.seen = {kind: len(server.history[kind]) for kind in (EXECUTIONS, RUNS)}

    @property
    def pending(self) -> list[Request]:
        """Requests that have not been answered, oldest first."""
        return self.cluster.pending

    @property
    def leads(self) -> bool:
        """Whether it works on what it knows."""
        return self.dirty.is_open

    def start(self) -> None:
        """List everything; it stands by from then on."""
        self.resync()

    def open(self) -> None:
        """Begin to lead."""
        self.dirty.is_open = True
        self.lists.queue_all()

    def go_on(self) -> None:
        """Run as far as it can without an answer."""
        if not self.is_paused:
            self.loop.run_until_idle()

    def begin_resync(self) -> None:
        """Begin to list everything, as at the start and every now and then."""
        if self.listing is None or self.listing.done():
            self.listing = self.loop.start(self._resync())

    def resync(self) -> None:
        """List everything, and be answered at once."""
        self.begin_resync()
        assert self.listing is not None
        while not self.listing.done():
            self.answer_all()

    def answer_all(self) -> None:
        """Answer every request that is on its way."""
        for request in [*self.pending]:
            request.return_home()
        self.go_on()

    def deliver(self, kind: str, count: int) -> None:
        """Deliver the next watch events of a kind."""
        history = self.server.history[kind]
        for event, raw in history[self.seen[kind] :][:count]:
            self.seen[kind] += 1
            self._take_in(kind, event, raw)

    def deliver_all(self) -> None:
        """Deliver all watch events there are."""
        for kind, history in self.server.history.items():
            self.deliver(kind, len(history))

    @property
    def is_behind(self) -> bool:
        """Whether there are watch events it has not been told of."""
        return any(self.seen[kind] < len(told) for kind, told in self.server.history.items())

    def relist(self, kind: str) -> None:
        """Lose the place in a watch: what came and went meanwhile is not told."""
        self.handler.missed()
        self.seen[kind] = len(self.server.history[kind])

    def start_pass(self, key: Key) -> None:
        """Begin a pass over one execution or run, unless one is under way."""
        if key not in self.tasks:
            self.dirty.keys.pop(key, None)
            self.due.pop(key, None)
            self.tasks[key] = self.loop.create_task(self._pass(key))
            self.loop.run_until_idle()

    def wake(self) -> list[Key]:
        """Say what there is to do now."""
        if self.is_paused:
            return []
        for key in [key for key, due in self.due.items() if due <= self.server.now]:
            self.dirty.add(key)
            del self.due[key]
        return [key for key in self.dirty.keys if key not in self.tasks]

    def next_due(self) -> datetime | None:
        """When there will be something to do; None for: when something happens."""
        return min(self.due.values(), default=None)

    def crash(self) -> None:
        """End at once; requests on their way are carried out or not, as the test has chosen."""
        tasks = [*self.tasks.values(), *filter(None, [self.listing])]
        for task in tasks:
            task.cancel()
        self.loop.create_task(self.retention.close())
        self.loop.run_until_idle()

    async def _resync(self) -> None:
        self.is_behind_lists = self.is_behind_lists or self.handler.needs_resync
        self.handler.needs_resync = False
        try:
            found = await self.lists.resync()
        except errors.ApiError:
            self.handler.needs_resync = True
            return
        self.is_behind_lists = False
        if self.leads:
            self.retention.start(found.candidates)

    async def _pass(self, key: Key) -> None:
        PASS_BEGAN.set(self.server.now)
        try:
            if isinstance(key, tuple):
                delay = await self.runs.reconcile(key)
            else:
                delay = await self.executions.reconcile(key)
            if delay is not None:
                self.due[key] = self.server.now + timedelta(seconds=delay)
        except errors.ApiError:
            self.dirty.add(key)
        except Exception as error:
            self.faults.append(error)
        finally:
            self.tasks.pop(key, None)

    def _take_in(self, kind: str, event: str, raw: Raw) -> None:
        if kind == EXECUTIONS:
            self.handler.on_execution(event, clone(raw))
        elif raw["metadata"]["namespace"] == self.namespace:
            self.handler.on_run(event, clone(raw))
