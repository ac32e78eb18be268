"""Operators at work on the model: the real control code, with every request under control.

A request first travels to the server, and its reply back; between the two, and before, anything
else may happen. What an operator knows of others comes by watch events, delivered as late as the
test likes.
"""

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from builders import NOW, make_policy
from model_server import EXECUTIONS, RUNS, Raw, Server
from workflowexecution.control.announcer import Announcer
from workflowexecution.control.effects import Effects
from workflowexecution.control.execution_reconciler import ExecutionReconciler
from workflowexecution.control.intake import Intake
from workflowexecution.control.launcher import Launcher
from workflowexecution.control.ledger import Ledger
from workflowexecution.control.live_reads import LiveReader
from workflowexecution.control.memory import Memory
from workflowexecution.control.mirror import Mirrorer
from workflowexecution.control.resync import Resync
from workflowexecution.control.run_reconciler import RunReconciler
from workflowexecution.control.status_writer import StatusWriter
from workflowexecution.control.workqueue import WorkQueue
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.leftovers import Pod
from workflowexecution.core.facts.run import Run
from workflowexecution.kube import errors
from workflowexecution.kube.clock import ServerClock
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

    def __init__(self, server: Server, pending: list[Request], clock: ServerClock) -> None:
        self._server = server
        self._pending = pending
        self._clock = clock

    async def _ask(self, what: str, carry_out: Callable[[], Any]) -> Any:
        request = Request(what, carry_out)
        self._pending.append(request)
        sent = self._clock.monotonic()
        try:
            answer = await request.answer
            self.note_date(sent)
            return answer
        finally:
            if request in self._pending:
                self._pending.remove(request)

    def note_date(self, sent: float) -> None:
        """Every reply tells the server's time."""
        date, received = self._server.now.replace(microsecond=0), self._clock.monotonic()
        self._clock.observe(date, sent=sent, received=received)

    async def list_executions(self) -> AsyncIterator[Raw]:
        self.note_date(self._clock.monotonic())
        for raw in self._server.all(EXECUTIONS):
            yield raw

    async def list_runs(self) -> AsyncIterator[Raw]:
        for raw in self._server.all(RUNS):
            yield raw

    async def list_active_pods(self) -> AsyncIterator[Raw]:
        for raw in self._server.list_active_pods():
            yield raw

    async def list_task_runs(self, _: str, run_names: Sequence[str]) -> Any:
        return await self._ask("list tasks", lambda: self._server.list_task_runs(run_names))

    async def list_pods(self, _: str, run_names: Sequence[str]) -> Any:
        return await self._ask("list pods", lambda: self._server.list_pods(run_names))

    async def get_execution(self, _: str, name: str) -> Any:
        return await self._ask("get execution", lambda: self._server.get(EXECUTIONS, name))

    async def get_run(self, _: str, name: str) -> Any:
        return await self._ask("get run", lambda: self._server.get(RUNS, name))

    async def create_run(self, manifest: Mapping[str, Any]) -> Any:
        return await self._ask("create run", lambda: self._server.create_run(dict(manifest)))

    async def cancel_run(self, run: Run) -> Any:
        return await self._ask("cancel run", lambda: self._server.cancel_run(run.name, run.uid))

    async def delete_run(self, run: Run) -> None:
        await self._ask("delete run", lambda: self._server.delete_run(run.name, run.uid))

    async def delete_pod(self, pod: Pod) -> None:
        await self._ask("delete pod", lambda: self._server.delete_pod(pod.uid))

    async def remove_run(self, namespace: str, name: str, uid: str) -> None:
        """History is removed by the models' rules."""

    async def remove_execution(self, namespace: str, name: str, uid: str) -> None:
        """History is removed by the models' rules."""

    async def patch_status(self, seen: Execution, patch: Mapping[str, Any]) -> Any:
        version = seen.resource_version
        return await self._ask(
            "patch status", lambda: self._server.patch_status(seen.name, version, dict(patch))
        )

    async def patch_finalizers(self, seen: Execution, finalizers: list[str]) -> Any:
        version = seen.resource_version
        return await self._ask(
            "patch finalizers",
            lambda: self._server.patch_finalizers(seen.name, version, finalizers),
        )

    async def create_event(self, event: Mapping[str, Any]) -> None:
        """Events decide nothing here."""


Key = str | tuple[str, str]


class Dirty:
    """Stands where the work queues do: what is added waits until the test has it worked on."""

    def __init__(self) -> None:
        self.keys: dict[Key, None] = {}

    def add(self, key: Key) -> None:
        self.keys[key] = None


class Operator:
    """One operator process, from its start to its crash."""

    def __init__(self, server: Server, clock_ahead: timedelta = timedelta(0)) -> None:
        self.server = server
        self.pending: list[Request] = []
        self.dirty = Dirty()
        self.faults: list[BaseException] = []
        clock = ServerClock(
            wall=lambda: (server.now + clock_ahead).timestamp(),
            monotonic=lambda: (server.now - NOW).total_seconds(),
        )
        cluster = ModelCluster(server, self.pending, clock)
        memory, policy = Memory(), make_policy()
        ledger = Ledger(policy.template.namespace)
        announcer = Announcer(cluster, Metrics(), clock)
        queue = cast("WorkQueue[Any]", self.dirty)
        reader = LiveReader(cluster, ledger, clock, queue, queue)
        self.executions = ExecutionReconciler(
            ledger,
            memory,
            reader,
            Effects(
                cluster,
                ledger,
                reader,
                Launcher(cluster, reader, memory, announcer, policy, clock),
                Mirrorer(reader, memory, policy, clock),
                policy,
                clock,
                queue,
            ),
            StatusWriter(cluster, ledger, memory, reader, announcer, clock),
            policy,
            clock,
            queue,
        )
        self.runs = RunReconciler(cluster, ledger, memory, reader, announcer, policy, clock, queue)
        self.lists = Resync(cluster, ledger, memory, reader, policy, clock, queue, queue)
        self.intake = Intake(ledger, memory, clock, queue, queue)
        self.intake.take_lists()
        self.ledger, self.memory = ledger, memory
        self.tasks: dict[Key, asyncio.Task[None]] = {}
        self.due: dict[Key, datetime] = {}
        self.seen = {kind: len(server.history[kind]) for kind in (EXECUTIONS, RUNS)}

    async def resync(self) -> None:
        """List everything, as at the start and every now and then."""
        task = asyncio.create_task(self.lists.resync())
        while not task.done():
            await settle_down()
            for request in [*self.pending]:
                request.return_home()
        task.result()
        self.intake.needs_resync = False

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
        """Lose the place in a watch: executions are listed anew, of runs it is only told."""
        if kind == RUNS:
            self.intake.missed()
        else:
            for raw in self.server.all(kind):
                self.intake.on_execution(None, raw)
        self.seen[kind] = len(self.server.history[kind])

    def start_pass(self, key: Key) -> None:
        """Begin a pass over one execution or run, unless one is under way."""
        if key not in self.tasks:
            self.dirty.keys.pop(key, None)
            self.due.pop(key, None)
            self.tasks[key] = asyncio.create_task(self._pass(key))

    def wake(self, within: timedelta = timedelta(0)) -> list[Key]:
        """Add what is due; say what there is to do now, or will be within some time."""
        for key, due in self.due.items():
            if due <= self.server.now + within:
                self.dirty.add(key)
        return [*self.dirty.keys]

    async def crash(self) -> None:
        """End at once; requests on their way are carried out or not, as the test has chosen."""
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)

    async def _pass(self, key: Key) -> None:
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
        take_in = self.intake.on_execution if kind == EXECUTIONS else self.intake.on_run
        take_in(event, copy.deepcopy(raw))


async def settle_down() -> None:
    """Let everything run that can."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
