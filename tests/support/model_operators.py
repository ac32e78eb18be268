"""Operators at work on the model: the real control code, with every request under control.

A request first travels to the server, and its reply back; between the two, and before, anything
else may happen. What an operator knows of others comes by watch events, delivered as late as the
test likes.
"""

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from model_server import EXECUTIONS, RUNS, Raw, Server
from workflowexecution.control.cluster import Cluster
from workflowexecution.control.intake import Intake
from workflowexecution.control.ledger import Ledger
from workflowexecution.control.live_reads import LiveReader
from workflowexecution.control.policy import Policy
from workflowexecution.control.reconcile import Reconciler
from workflowexecution.control.settle import Settler
from workflowexecution.control.status_writer import StatusWriter
from workflowexecution.control.workqueue import WorkQueue
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.kube import errors
from workflowexecution.observe.metrics import Metrics

# A pass does a handful of things between two requests; this many turns of the loop do them all.
TURNS = 40


@dataclass(slots=True, eq=False)
class Request:
    """One request on its way; ``reply`` is set once the server has carried it out."""

    what: str
    carry_out: Callable[[], Any]
    answer: asyncio.Future[Any] = field(default_factory=asyncio.Future)
    reply: tuple[Any, errors.ApiError | None] | None = None

    def serve(self) -> None:
        """Let the server carry it out."""
        if self.reply is None:
            try:
                self.reply = (self.carry_out(), None)
            except errors.ApiError as error:
                self.reply = (None, error)

    def return_home(self) -> None:
        """Bring the reply to whoever waits for it."""
        self.serve()
        assert self.reply is not None
        result, error = self.reply
        if self.answer.done():
            return
        if error is not None:
            self.answer.set_exception(error)
        else:
            self.answer.set_result(result)

    def lose(self) -> None:
        """Let the sender wait in vain, whether it was carried out or not."""
        if not self.answer.done():
            self.answer.set_exception(errors.UnavailableError(f"{self.what}: no answer"))


class ModelCluster:
    """The requests an operator makes, by the names the real Cluster gives them."""

    def __init__(self, server: Server, pending: list[Request]) -> None:
        self._server = server
        self._pending = pending

    async def _ask(self, what: str, carry_out: Callable[[], Any]) -> Any:
        request = Request(what, carry_out)
        self._pending.append(request)
        try:
            return await request.answer
        finally:
            if request in self._pending:
                self._pending.remove(request)

    async def list_executions(self) -> AsyncIterator[Raw]:
        for raw in self._server.all(EXECUTIONS):
            yield raw

    async def list_runs(self) -> AsyncIterator[Raw]:
        for raw in self._server.all(RUNS):
            yield raw

    async def list_task_runs(self, _: str, run_name: str) -> Any:
        return await self._ask("list tasks", lambda: self._server.list_task_runs(run_name))

    async def list_pods(self, _: str, __: str) -> list[Raw]:
        return []

    async def get_execution(self, _: str, name: str) -> Any:
        return await self._ask("get execution", lambda: self._server.get(EXECUTIONS, name))

    async def get_run(self, name: str) -> Any:
        return await self._ask("get run", lambda: self._server.get(RUNS, name))

    async def create_run(self, manifest: Raw) -> Any:
        return await self._ask("create run", lambda: self._server.create_run(manifest))

    async def cancel_run(self, run: Run) -> Any:
        return await self._ask("cancel run", lambda: self._server.cancel_run(run.name, run.uid))

    async def delete_run(self, run: Run) -> None:
        await self._ask("delete run", lambda: self._server.delete_run(run.name, run.uid))

    async def patch_status(self, seen: Execution, patch: Raw) -> Any:
        version = seen.resource_version
        return await self._ask(
            "patch status", lambda: self._server.patch_status(seen.name, version, patch)
        )

    async def patch_finalizers(self, seen: Execution, finalizers: list[str]) -> Any:
        version = seen.resource_version
        return await self._ask(
            "patch finalizers",
            lambda: self._server.patch_finalizers(seen.name, version, finalizers),
        )

    async def create_event(self, event: Mapping[str, Any]) -> None:
        """Events decide nothing here."""


class Dirty:
    """Stands where the work queue does: what is added waits until the test has it worked on."""

    def __init__(self) -> None:
        self.keys: dict[str, None] = {}

    def add(self, key: str) -> None:
        self.keys[key] = None


class Operator:
    """One operator process, from its start to its crash."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.pending: list[Request] = []
        self.dirty = Dirty()
        self.faults: list[BaseException] = []
        self.cluster = cast(Cluster, ModelCluster(server, self.pending))
        self.ledger = Ledger()
        metrics = Metrics()
        policy = Policy(cooldown=timedelta(minutes=5), clock=lambda: server.now)
        namespace = policy.template.namespace
        witness = LiveReader(self.cluster, self.ledger, namespace=namespace)
        settler = Settler(self.cluster, self.ledger, witness, policy, metrics)
        writer = StatusWriter(self.cluster, self.ledger, policy, metrics)
        self.reconciler = Reconciler(self.cluster, self.ledger, witness, settler, writer, policy)
        self.inbox = Intake(self.ledger, cast(WorkQueue, self.dirty))
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.due: dict[str, datetime] = {}
        self.seen = {kind: len(server.history[kind]) for kind in (EXECUTIONS, RUNS)}

    async def resync(self) -> None:
        """List everything, as at the start and every now and then."""
        await self.inbox.resync(self.cluster)

    def deliver(self, kind: str, count: int) -> None:
        """Deliver the next watch events of a kind."""
        history = self.server.history[kind]
        for event, raw in history[self.seen[kind] :][:count]:
            self._take_in(kind, event, raw)
            self.seen[kind] += 1

    def deliver_all(self) -> None:
        """Deliver all watch events there are."""
        for kind, history in self.server.history.items():
            self.deliver(kind, len(history))

    @property
    def is_behind(self) -> bool:
        """Whether there are watch events it has not been told of."""
        return any(self.seen[kind] < len(told) for kind, told in self.server.history.items())

    def relist(self, kind: str) -> None:
        """Deliver all that exists, as after a lost watch: what went away meanwhile is not told."""
        for raw in self.server.all(kind):
            self._take_in(kind, None, raw)
        self.seen[kind] = len(self.server.history[kind])

    def start_pass(self, uid: str) -> None:
        """Begin a pass over one execution, unless one is under way."""
        if uid not in self.tasks:
            self.dirty.keys.pop(uid, None)
            self.due.pop(uid, None)
            self.tasks[uid] = asyncio.create_task(self._pass(uid))

    def wake(self, within: timedelta = timedelta(0)) -> list[str]:
        """Add what is due; say what there is to do now, or will be within some time."""
        for uid, due in self.due.items():
            if due <= self.server.now + within:
                self.dirty.add(uid)
        return [*self.dirty.keys]

    async def crash(self) -> None:
        """End at once; requests on their way are carried out or not, as the test has chosen."""
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)

    async def _pass(self, uid: str) -> None:
        try:
            delay = await self.reconciler.reconcile(uid)
            if delay is not None:
                self.due[uid] = self.server.now + timedelta(seconds=delay)
        except errors.ApiError:
            self.dirty.add(uid)
        except Exception as error:
            self.faults.append(error)
        finally:
            self.tasks.pop(uid, None)

    def _take_in(self, kind: str, event: str | None, raw: Raw) -> None:
        take_in = self.inbox.on_execution if kind == EXECUTIONS else self.inbox.on_run
        take_in(event, copy.deepcopy(raw))


async def settle_down() -> None:
    """Let everything run that can."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
