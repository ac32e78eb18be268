"""Operators at work on the model: the real control code in a loop of its own.

What an operator knows of others comes by watch events, delivered as late as the test likes. Its
passes begin when the test says so.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, cast

from builders import RUN_NAMESPACE, make_policy
from model_loop import ModelLoop
from model_requests import PASS_BEGAN, ModelCluster, Request
from model_server import Server
from model_store import EXECUTIONS, RUNS, Raw, clone
from workflowexecution.client.cluster import Cluster
from workflowexecution.controller.controller import Controller
from workflowexecution.controller.workqueue import Work, WorkQueue
from workflowexecution.core.policy import Policy
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
    """The executions and runs that have work; it waits until the test has it done."""

    def __init__(self) -> None:
        self.keys: dict[Key, None] = {}
        self.is_open = False
        self._queues: list[HeldQueue] = []

    def new_queue(self, **_: object) -> WorkQueue[Any]:
        """Make the queue of executions first, and then that of runs, as the controller does."""
        queue = HeldQueue(self)
        self._queues.append(queue)
        return cast("WorkQueue[Any]", queue)

    async def work(self, key: Key) -> float | None:
        """Do one pass over an execution or a run."""
        executions, runs = self._queues
        return await (runs if isinstance(key, tuple) else executions).work(key)


class HeldQueue:
    """Stands where a work queue does."""

    def __init__(self, dirty: Dirty) -> None:
        self._dirty = dirty
        self.work: Work[Any]

    def open(self, work: Work[Any]) -> None:
        self.work = work
        self._dirty.is_open = True

    def add(self, key: Key) -> None:
        if self._dirty.is_open:
            self._dirty.keys[key] = None

    def add_within(self, key: Key, seconds: float) -> None:
        """At any time up to then; so also now."""
        self.add(key)

    async def close(self, *, grace: float) -> None:
        """Passes under way were ended by the test."""


class Operator:
    """One operator process, from its start to its crash.

    It leads once it is opened. ``ahead`` is how far its own clock is ahead of the server's, which
    people may set at any time. One that is paused knows of nothing and does nothing.
    """

    loop_class: type[ModelLoop] = ModelLoop

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
        self.faults: list[BaseException] = []
        self.loop = self.loop_class(server.seconds)
        clock = ServerClock(
            wall=lambda: (server.now + self.ahead).timestamp(), monotonic=server.seconds
        )
        self.cluster = cluster = ModelCluster(server, clock, namespace)
        cluster.told = lambda: self.seen[RUNS]
        self.dirty = Dirty()
        self.controller = Controller(
            cast(Cluster, cluster),
            policy_for(namespace, keeps_executions),
            no_metrics(),
            clock,
            concurrency=1,
            new_queue=self.dirty.new_queue,
        )
        self.store, self.memory = self.controller.store, self.controller.memory
        self.holds, self.events = self.controller.holds, self.controller.events
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
        self.loop.call_soon(self.controller.open)
        self.loop.run_until_idle()

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
        self.events.missed()
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
            self.dirty.keys[key] = None
            del self.due[key]
        return [key for key in self.dirty.keys if key not in self.tasks]

    def next_due(self) -> datetime | None:
        """The time of the next work; None where only an event brings some."""
        return min(self.due.values(), default=None)

    def crash(self) -> None:
        """End at once; requests on their way are carried out or not, as the test has chosen."""
        tasks = [*self.tasks.values(), *filter(None, [self.listing])]
        for task in tasks:
            task.cancel()
        self.loop.create_task(self.controller.close(grace=0))
        self.loop.run_until_idle()

    async def _resync(self) -> None:
        # What has failed is repeated after a while, as the manager does.
        with suppress(errors.ApiError):
            await self.controller.relist()

    async def _pass(self, key: Key) -> None:
        PASS_BEGAN.set(self.server.now)
        try:
            delay = await self.dirty.work(key)
            if delay is not None:
                self.due[key] = self.server.now + timedelta(seconds=delay)
        except errors.ApiError:
            self.dirty.keys[key] = None
        except Exception as error:
            self.faults.append(error)
        finally:
            self.tasks.pop(key, None)

    def _take_in(self, kind: str, event: str, raw: Raw) -> None:
        if kind == EXECUTIONS:
            self.events.on_execution(event, clone(raw))
        elif raw["metadata"]["namespace"] == self.namespace:
            self.events.on_run(event, clone(raw))
