"""One trace leads from an orchestrator through the operator and the real Tekton to the status."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

from harness import rights
from harness.executions import execution, unique_target
from harness.otlp import spans_at
from harness.receiver import open_receiver
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.bundles import push_folder
from localcluster.cluster import MERGE, Object
from localcluster.request import REPOSITORY
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.pipelinerun import trace_of

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACING = "/api/v1/namespaces/tekton-pipelines/configmaps/config-tracing"


async def test_one_trace_leads_through_tekton(tekton_cluster: Cluster) -> None:
    async with open_receiver("/v1/traces") as collector:
        item, run, tasks = await asyncio.to_thread(_play, tekton_cluster, collector.url)
    trace = trace_of(parse_execution(item))

    spans = {span.name: span for _, span in spans_at(collector)}

    assert {span.trace_id.hex() for span in spans.values()} == {TRACE}
    assert spans["WorkflowExecution"].parent_span_id.hex() == SPAN
    assert spans["PipelineRun"].parent_span_id == spans["WorkflowExecution"].span_id
    assert spans["PipelineRun"].span_id.hex() == trace.run_id
    # Tekton has read the run's span, and goes on from there with spans of its own.
    assert run["status"]["spanContext"] == json.loads(trace.for_tekton)
    (task,) = tasks
    handed_on = json.loads(task["metadata"]["annotations"]["tekton.dev/taskrunSpanContext"])
    _, trace_id, span_id, flags = handed_on["traceparent"].split("-")
    assert (trace_id, flags) == (TRACE, "01")
    assert span_id not in (trace.run_id, trace.execution_id, SPAN)


def _play(cluster: Cluster, endpoint: str) -> tuple[Object, Object, list[Object]]:
    """Launch an execution and have its run cancelled, while all is traced."""
    rights.install(cluster)
    assert cluster.registry
    image = push_folder(cluster.registry, "observed/wait", REPOSITORY / "tekton" / "wait")
    with _traced_tekton(cluster), open_world(cluster, f"--traces-endpoint={endpoint}") as world:
        item = world.in_phase(_create(world, image), "Running")
        run = world.run_of(item)
        tasks = eventually(lambda: _tasks(world, run), dump=world.dump)
        world.tekton.runs.patch(run, {"spec": {"status": "Cancelled"}})
        item = world.ended(item, "Failed", 60)
        run = world.run_of(item)
        world.operator.stop()
    return item, run, tasks


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
def _traced_tekton(cluster: Cluster) -> Iterator[None]:
    """Tekton makes spans within the block; in a network of its own it cannot send them to us."""
    traced = {"data": {"enabled": "true", "endpoint": "http://127.0.0.1:1/v1/traces"}}
    cluster.request("PATCH", TRACING, traced, MERGE)
    try:
        yield
    finally:
        cluster.request("PATCH", TRACING, {"data": {"enabled": "false"}}, MERGE)


def _tasks(world: World, run: Object) -> list[Object]:
    found = world.tekton.task_runs.list(run["metadata"]["namespace"])
    assert found, "no TaskRun is there"
    return found
