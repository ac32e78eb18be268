"""A controller at its desk: the product's own wiring, one cluster of what a test puts in it.

Nothing happens by itself: a test does one pass, and looks at what was asked and written.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final, cast

from builders import NAMESPACE, NOW, RUN_NAMESPACE, make_policy
from clocks import FixedClock
from model_server import merge
from model_store import EXECUTIONS, RUNS, Raw, Store, clone, path_of
from workflowexecution.client.cluster import Cluster
from workflowexecution.controller.controller import Controller
from workflowexecution.controller.live_reads import LiveReads
from workflowexecution.controller.workqueue import Work, WorkQueue
from workflowexecution.core.facts.decoding import parse_execution, parse_run
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.pod import Pod
from workflowexecution.core.facts.run import LABEL_PIPELINE_RUN, Asked, Run, RunKey
from workflowexecution.core.names import Shard
from workflowexecution.core.policy import Policy
from workflowexecution.kube import errors
from workflowexecution.observe.metrics import Metrics

# What every look at the leftovers of one run asks for, in no order that matters.
LOOK: Final = {"list task runs", "list custom runs", "list child runs", "list pods"}


class FakeCluster:
    """Carries out requests on what it holds, and keeps what was asked. Claims are not kept.

    refuses: by request, what is answered instead of carrying it out.
    loses: by request, what is answered although it was carried out.
    on_the_way: by request, what happens once while its answer is on the way.
    """

    def __init__(self) -> None:
        self.stored = Store()
        self.requests: list[str] = []
        self.patches: list[Raw] = []
        self.events: list[str] = []
        self.task_runs: list[Raw] = []
        self.pods: list[Raw] = []
        self.pod_events: list[Raw] = []
        self.holds: list[Raw] = []
        self.mark = ""
        self.refuses: dict[str, errors.ApiError] = {}
        self.loses: dict[str, errors.ApiError] = {}
        self.on_the_way: dict[str, Callable[[], object]] = {}

    async def _ask(self, what: str, carry_out: Callable[[], Any]) -> Any:
        self.requests.append(what)
        await asyncio.sleep(0)
        if what in self.refuses:
            raise self.refuses[what]
        answer = carry_out()
        self.on_the_way.pop(what, lambda: None)()
        if what in self.loses:
            raise self.loses[what]
        return answer

    async def _list(self, what: str, carry_out: Callable[[], list[Raw]]) -> AsyncIterator[Raw]:
        for raw in await self._ask(what, carry_out):
            yield raw

    def list_executions(self) -> AsyncIterator[Raw]:
        return self._list("list executions", lambda: self.stored.all(EXECUTIONS))

    def list_runs(self) -> AsyncIterator[Raw]:
        return self._list("list runs", lambda: self.stored.all(RUNS, RUN_NAMESPACE))

    def list_holds(self) -> AsyncIterator[Raw]:
        return self._list("list holds", lambda: self.holds)

    def list_active_pods(self) -> AsyncIterator[Raw]:
        return self._list("list active pods", lambda: self.pods)

    async def list_claims(self, _: Sequence[str] = ()) -> AsyncIterator[Raw]:
        nothing: list[Raw] = []
        for raw in nothing:
            yield raw

    async def create_claim(self, namespace: str) -> Raw:
        if "create claim" in self.refuses:
            raise self.refuses["create claim"]
        meta = {"namespace": namespace, "resourceVersion": "1"}
        return {"metadata": meta, "spec": {"executionNamespace": RUN_NAMESPACE}}

    async def list_task_runs(self, _: str, run_names: Sequence[str]) -> Any:
        return await self._ask("list task runs", lambda: _of_runs(self.task_runs, run_names))

    async def list_pods(self, _: str, run_names: Sequence[str]) -> Any:
        return await self._ask("list pods", lambda: _of_runs(self.pods, run_names))

    async def list_custom_runs(self, _: str, __: Sequence[str]) -> Any:
        return await self._ask("list custom runs", lambda: [])

    async def list_child_runs(self, _: str, __: Sequence[str]) -> Any:
        return await self._ask("list child runs", lambda: [])

    async def list_warnings(self, _: Run) -> Any:
        return await self._ask("list warnings", lambda: [])

    async def list_pod_events(self, _: str, __: str) -> Any:
        return await self._ask("list pod events", lambda: self.pod_events)

    async def get_execution(self, namespace: str, name: str) -> Any:
        path = f"{namespace}/{name}"
        return await self._ask("get execution", lambda: self.stored.get(EXECUTIONS, path))

    async def get_run(self, namespace: str, name: str) -> Any:
        return await self._ask("get run", lambda: self.stored.get(RUNS, f"{namespace}/{name}"))

    async def create_run(self, manifest: Mapping[str, Any]) -> Any:
        return await self._ask("create run", lambda: self._create(clone(dict(manifest))))

    def _create(self, raw: Raw) -> Raw:
        if path_of(raw) in self.stored.objects[RUNS]:
            raise errors.AlreadyExistsError("it is there", status=409)
        made = {"uid": f"uid-of-{raw['metadata']['name']}"}
        made["creationTimestamp"] = "2026-01-02T12:00:00Z"
        return self.stored.put(RUNS, {**raw, "metadata": {**raw["metadata"], **made}}, "ADDED")

    async def cancel_run(self, run: Run, asked: Asked) -> Any:
        def carry_out() -> Raw:
            raw = self.stored.of_uid(RUNS, "/".join(run.key), run.uid)
            raw["spec"]["status"] = str(asked)
            return self.stored.put(RUNS, raw)

        return await self._ask("cancel run", carry_out)

    async def delete_pod(self, pod: Pod) -> None:
        await self._ask(f"delete pod {pod.name}", lambda: None)

    async def patch_status(self, seen: Execution, patch: Mapping[str, Any]) -> Any:
        def carry_out() -> Raw:
            path = f"{seen.namespace}/{seen.name}"
            raw = self.stored.of_version(EXECUTIONS, path, seen.resource_version)
            raw["status"] = merge(dict(patch), raw.get("status"))
            self.patches.append(clone(dict(patch)))
            return self.stored.put(EXECUTIONS, raw)

        return await self._ask("patch status", carry_out)

    async def patch_finalizers(self, seen: Execution, finalizers: list[str]) -> Any:
        def carry_out() -> Raw:
            path = f"{seen.namespace}/{seen.name}"
            raw = self.stored.of_version(EXECUTIONS, path, seen.resource_version)
            raw["metadata"]["finalizers"] = finalizers
            return self.stored.put(EXECUTIONS, raw)

        return await self._ask("patch finalizers", carry_out)

    async def create_event(self, event: Mapping[str, Any]) -> None:
        self.events.append(str(event["reason"]))

    async def read_mark(self, _: Shard) -> str:
        return self.mark

    async def write_mark(self, _: Shard, text: str) -> None:
        self.mark = text


class Added:
    """Stands where a work queue does, and keeps what was added."""

    def __init__(self) -> None:
        self.keys: list[Any] = []
        self.work: Work[Any]
        self.is_open = False

    def open(self, work: Work[Any]) -> None:
        self.work, self.is_open = work, True

    def add(self, key: Any) -> None:
        self.keys.append(key)

    def add_within(self, key: Any, _: float) -> None:
        self.add(key)

    def taken(self) -> list[Any]:
        """The keys that were added since the last time, each once."""
        keys, self.keys = self.keys, []
        return list(dict.fromkeys(keys))

    def stuck_for(self) -> float:
        return 0.0

    def __len__(self) -> int:
        return len(self.keys)

    async def close(self, *, grace: float) -> None:
        self.is_open = False


class Desk:
    """The controller, its cluster, and what it has in its hands."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.cluster, self.clock, self.metrics = FakeCluster(), FixedClock(NOW), Metrics()
        self.policy = policy or make_policy()
        self._queues: list[Added] = []
        self.why_holds_are_stale = ""
        self.controller = Controller(
            cast(Cluster, self.cluster),
            self.policy,
            self.metrics,
            self.clock,
            concurrency=1,
            why_holds_are_stale=lambda: self.why_holds_are_stale,
            new_queue=self._new_queue,
        )
        self.executions, self.runs = self._queues
        self.store, self.memory = self.controller.store, self.controller.memory
        self.gaps = self.controller.gaps

    def _new_queue(self, **_: object) -> WorkQueue[Any]:
        self._queues.append(Added())
        return cast("WorkQueue[Any]", self._queues[-1])

    def reader(self) -> LiveReads:
        """Live reads for a part that is tested by itself, on the same store and queues."""
        return LiveReads(self.controller.context)

    def has_execution(self, raw: Raw, *, is_known: bool = True) -> Execution:
        """Put an execution into the cluster; ``is_known``: a watch has told of it, too."""
        seen = parse_execution(self.cluster.stored.put(EXECUTIONS, clone(raw)))
        if is_known:
            self.store.observe_execution(seen, now=self.clock.now())
        return seen

    def has_run(self, raw: Raw, *, is_known: bool = True) -> Run:
        """Put a run into the cluster; ``is_known``: a watch has told of it, too."""
        seen = parse_run(self.cluster.stored.put(RUNS, clone(raw)))
        assert seen is not None
        if is_known:
            self.store.observe_run(seen, now=self.clock.now())
        return seen

    def lose_execution(self, name: str = "mine") -> None:
        """Somebody deletes an execution, of which no watch has told yet."""
        del self.cluster.stored.objects[EXECUTIONS][f"{NAMESPACE}/{name}"]

    def lose_run(self, key: RunKey) -> None:
        """Somebody deletes a run, of which no watch has told yet."""
        del self.cluster.stored.objects[RUNS]["/".join(key)]

    def status(self, name: str = "mine") -> Raw:
        """The status of an execution, as it is in the cluster."""
        found: Raw = self.cluster.stored.get(EXECUTIONS, f"{NAMESPACE}/{name}").get("status", {})
        return found

    def asked(self) -> list[str]:
        """The requests since the last time, in order."""
        asked, self.cluster.requests = self.cluster.requests, []
        return asked

    async def reconcile(self, name: str = "mine") -> float | None:
        """Do one pass over an execution."""
        return await self.executions.work(f"uid-of-{name}")

    async def reconcile_run(self, key: RunKey) -> float | None:
        """Do one pass over a run."""
        return await self.runs.work(key)


def message_of(status: Raw) -> str:
    """The message of a status for people."""
    ready = [one["message"] for one in status["conditions"] if one["type"] == "Ready"]
    return " ".join(ready or [one["message"] for one in status["conditions"]])


def labelled(raw: Raw, run_name: str) -> Raw:
    """A child or a pod of a run."""
    meta = raw["metadata"]
    labels = {**meta.get("labels", {}), LABEL_PIPELINE_RUN: run_name}
    return {**raw, "metadata": {"namespace": RUN_NAMESPACE, **meta, "labels": labels}}


def _of_runs(objects: list[Raw], run_names: Sequence[str]) -> list[Raw]:
    return [raw for raw in objects if raw["metadata"]["labels"][LABEL_PIPELINE_RUN] in run_names]
