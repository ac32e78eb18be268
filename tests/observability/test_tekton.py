"""One trace leads from an orchestrator through the operator and the real Tekton to the status."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from harness import rights
from harness.executions import execution, unique_target
from harness.otlp import spans_at
from harness.receiver import Receiver, open_receiver
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.bundles import push_folder
from localcluster.cluster import MERGE, Object
from localcluster.request import REPOSITORY
from workflowexecution.core.facts.execution import parse_execution
from workflowexecution.core.trace_context import trace_of

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACING = "/api/v1/namespaces/tekton-pipelines/configmaps/config-tracing"
OURS = "workflowexecution-operator"
# Tekton sends what it has every five seconds.
SENT_S = 60.0


async def test_one_trace_leads_through_tekton(tekton_cluster: Cluster) -> None:
    async with open_receiver("/v1/traces") as collector:
        item = await asyncio.to_thread(_play, tekton_cluster, collector)
    trace = trace_of(parse_execution(item))

    ours = {span.name: span for span in _spans(collector, of_tekton=False)}
    theirs = list(_spans(collector, of_tekton=True))

    assert set(ours) == {"WorkflowExecution", "create PipelineRun", "PipelineRun", "write status"}
    assert ours["WorkflowExecution"].parent_span_id.hex() == SPAN
    assert ours["PipelineRun"].parent_span_id == ours["WorkflowExecution"].span_id
    assert ours["PipelineRun"].span_id.hex() == trace.run_id
    names = {span.name for span in theirs}
    assert {"PipelineRun:ReconcileKind", "TaskRun:ReconcileKind"} <= names
    # Whatever Tekton has to tell of the run hangs beneath the run's span.
    parents = {span.span_id: span.parent_span_id for span in theirs}
    tops = {parent for parent in parents.values() if parent not in parents}
    assert tops == {ours["PipelineRun"].span_id}


def _play(cluster: Cluster, collector: Receiver) -> Object:
    """Launch an execution, have its run cancelled, and wait until all of it has been told."""
    rights.install(cluster)
    assert cluster.registry
    image = push_folder(cluster.registry, "observed/wait", REPOSITORY / "tekton" / "wait")
    with (
        _traced_tekton(cluster, collector.url),
        open_world(cluster, f"--traces-endpoint={collector.url}") as world,
    ):
        item = world.in_phase(_create(world, image), "Running")
        run = world.run_of(item)
        eventually(lambda: _has_a_task(world, run), dump=world.dump)
        world.tekton.runs.patch(run, {"spec": {"status": "Cancelled"}})
        item = world.ended(item, "Failed", 60)
        eventually(
            lambda: _has_come(collector, of_tekton=True, name="TaskRun:ReconcileKind"),
            SENT_S,
            dump=lambda: _all_of(collector),
        )
        world.operator.stop()
        _has_come(collector, of_tekton=False, name="WorkflowExecution")
    return item


def _create(world: World, image: str) -> Object:
    item = execution(
        unique_target(),
        namespace=world.source,
        workflowRef={"workflowId": "wait", "version": "v1", "containerImage": image},
        executionConfig={"serviceAccountName": "default"},
    )
    item["metadata"]["annotations"] = {"kubernaut.ai/traceparent": f"00-{TRACE}-{SPAN}-01"}
    return world.executions.create(item)


@contextmanager
def _traced_tekton(cluster: Cluster, endpoint: str) -> Iterator[None]:
    """Tekton sends its traces within the block."""
    cluster.request("PATCH", TRACING, {"data": {"enabled": "true", "endpoint": endpoint}}, MERGE)
    try:
        yield
    finally:
        cluster.request("PATCH", TRACING, {"data": {"enabled": "false"}}, MERGE)


def _has_a_task(world: World, run: Object) -> None:
    found = world.tekton.task_runs.list(run["metadata"]["namespace"])
    assert [item for item in found if item.get("status")], "no TaskRun has begun"


def _has_come(collector: Receiver, *, of_tekton: bool, name: str) -> None:
    assert name in {span.name for span in _spans(collector, of_tekton=of_tekton)}


def _all_of(collector: Receiver) -> str:
    """Everything that has come, for messages."""
    found = ((service, span.name, span.trace_id.hex()) for service, span in spans_at(collector))
    return "\n".join(sorted({" ".join(told) for told in found}))


def _spans(collector: Receiver, *, of_tekton: bool) -> Iterator[Span]:
    """Spans of our trace; other runs in the cluster have traces of their own."""
    for service, span in spans_at(collector):
        if (service != OURS) is of_tekton and span.trace_id.hex() == TRACE:
            yield span
