"""The requests of an operator in the model, each of them under control on its way there and back.

Between sending, carrying out and answering a request anything else may happen.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from model_server import Server
from model_store import EXECUTIONS, RUNS, Raw, clone, target_of
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.pod import Pod
from workflowexecution.core.facts.run import Asked, Run
from workflowexecution.core.facts.taskrun import TaskRun
from workflowexecution.core.names import Shard
from workflowexecution.kube import errors
from workflowexecution.kube.clock import ServerClock

CREATE: Final = "create run"
LISTS: Final = ("list executions", "list runs", "list active pods")
# When the pass began that is under way.
PASS_BEGAN: ContextVar[datetime] = ContextVar("pass_began")


@dataclass(slots=True, eq=False)
class Request:
    """One request on its way; ``reply`` is set once the server has carried it out.

    run: target and name of the run that is asked for, where one is.
    """

    what: str
    carry_out: Callable[[], Any]
    sent_at: datetime
    run: tuple[str, str] = ("", "")
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
    """The requests an operator makes, by the names the real Cluster gives them.

    told: how many events of runs its operator has been told of.
    may_remove: whether history of a kind, at a path, may be removed now.
    """

    def __init__(self, server: Server, clock: ServerClock, namespace: str) -> None:
        self.pending: list[Request] = []
        self._claims: dict[str, Raw] = {}
        self.told: Callable[[], int] = lambda: 0
        self.may_remove: Callable[[str, str], bool] = lambda kind, path: True
        self._server = server
        self._clock = clock
        self._namespace = namespace

    async def _ask(
        self, what: str, carry_out: Callable[[], Any], run: tuple[str, str] = ("", "")
    ) -> Any:
        request = Request(what, carry_out, self._server.now, run)
        self.pending.append(request)
        sent = self._clock.monotonic()
        try:
            answer = await request.answer
            self._note_date(sent)
            return answer
        finally:
            self.pending.remove(request)

    def _note_date(self, sent: float) -> None:
        """Every reply tells the server's time."""
        date, received = self._server.now.replace(microsecond=0), self._clock.monotonic()
        self._clock.observe(date, sent=sent, received=received)

    async def _list(self, what: str, carry_out: Callable[[], list[Raw]]) -> AsyncIterator[Raw]:
        for raw in await self._ask(what, carry_out):
            yield raw

    def list_executions(self) -> AsyncIterator[Raw]:
        return self._list(LISTS[0], lambda: self._server.all(EXECUTIONS))

    def list_runs(self) -> AsyncIterator[Raw]:
        return self._list(LISTS[1], lambda: self._server.all(RUNS, self._namespace))

    async def list_holds(self) -> AsyncIterator[Raw]:
        for raw in [*self._server.holds.values()]:
            yield raw

    async def list_claims(self, namespaces: Sequence[str] = ()) -> AsyncIterator[Raw]:
        """There is one installation here, which serves everything."""
        del namespaces
        for raw in self._claims.values():
            yield raw

    async def create_claim(self, namespace: str) -> Raw:
        """Nobody else is there to be told, so it is answered at once."""
        meta = {"namespace": namespace, "resourceVersion": "1"}
        claim = {"metadata": meta, "spec": {"executionNamespace": self._namespace}}
        return self._claims.setdefault(namespace, claim)

    def list_active_pods(self) -> AsyncIterator[Raw]:
        return self._list(LISTS[2], lambda: self._server.list_active_pods(self._namespace))

    async def list_task_runs(self, namespace: str, run_names: Sequence[str]) -> Any:
        ask = lambda: self._server.list_task_runs(namespace, run_names)  # noqa: E731
        return await self._ask("list tasks", ask)

    async def list_pods(self, namespace: str, run_names: Sequence[str]) -> Any:
        return await self._ask("list pods", lambda: self._server.list_pods(namespace, run_names))

    async def list_warnings(self, run: Run) -> list[Raw]:
        """Nobody warns in the model."""
        del run
        return []

    async def list_pod_events(self, _: str, __: str) -> list[Raw]:
        return []

    async def list_custom_runs(self, _: str, __: Sequence[str]) -> Any:
        """No workflow here has a custom task."""
        return await self._ask("list custom runs", lambda: [])

    async def list_child_runs(self, _: str, __: Sequence[str]) -> Any:
        """No workflow here has a pipeline that is a task."""
        return await self._ask("list child runs", lambda: [])

    async def delete_child(self, child: TaskRun) -> None:
        raise AssertionError(f"there is no {child.kind} here")

    async def get_execution(self, namespace: str, name: str) -> Any:
        path = f"{namespace}/{name}"
        return await self._ask("get execution", lambda: self._server.get(EXECUTIONS, path))

    async def get_run(self, namespace: str, name: str) -> Any:
        return await self._ask("get run", lambda: self._server.get(RUNS, f"{namespace}/{name}"))

    async def create_run(self, manifest: Mapping[str, Any]) -> Any:
        copied, known = clone(manifest), self.told()
        run = (target_of(copied), copied["metadata"]["name"])
        return await self._ask(CREATE, lambda: self._server.create_run(copied, known), run)

    async def cancel_run(self, run: Run, asked: Asked) -> Any:
        path = "/".join(run.key)
        return await self._ask("cancel run", lambda: self._server.cancel_run(path, run.uid, asked))

    async def delete_run(self, run: Run) -> None:
        path = "/".join(run.key)
        await self._ask("delete run", lambda: self._server.delete_run(path, run.uid))

    async def delete_pod(self, pod: Pod) -> None:
        await self._ask("delete pod", lambda: self._server.delete_pod(pod.uid))

    async def remove_run(self, namespace: str, name: str, uid: str) -> None:
        path = f"{namespace}/{name}"
        await self._ask("remove run", lambda: self._remove(RUNS, path, uid))

    async def remove_execution(self, namespace: str, name: str, uid: str) -> None:
        path = f"{namespace}/{name}"
        await self._ask("remove execution", lambda: self._remove(EXECUTIONS, path, uid))

    def _remove(self, kind: str, path: str, uid: str) -> None:
        if not self.may_remove(kind, path):
            raise errors.UnavailableError("not now")
        remove = self._server.remove_run if kind == RUNS else self._server.remove_execution
        remove(path, uid)

    async def patch_status(self, seen: Execution, patch: Mapping[str, Any]) -> Any:
        path, version = f"{seen.namespace}/{seen.name}", seen.resource_version
        copied: Raw = clone(dict(patch))
        self._server.judge.skip_asked_for(dict(seen.raw), copied, PASS_BEGAN.get())
        ask = lambda: self._server.patch_status(path, version, copied)  # noqa: E731
        return await self._ask("patch status", ask)

    async def patch_finalizers(self, seen: Execution, finalizers: list[str]) -> Any:
        path, version = f"{seen.namespace}/{seen.name}", seen.resource_version
        ask = lambda: self._server.patch_finalizers(path, version, finalizers)  # noqa: E731
        return await self._ask("patch finalizers", ask)

    async def create_event(self, event: Mapping[str, Any]) -> None:
        """Events decide nothing here."""

    async def read_mark(self, shard: Shard) -> str:
        """No mark is kept here, as no CloudEvents are sent."""
        return ""

    async def write_mark(self, shard: Shard, text: str) -> None:
        """See read_mark."""
