"""An operator that is told to sends traces and CloudEvents, and stops as well as any other."""

from __future__ import annotations

import asyncio
import json

from cloudevents.core.bindings.http import HTTPMessage, from_binary_event

from harness.otlp import spans_at
from harness.receiver import Receiver, open_receiver
from harness.waiting import eventually
from harness.world import open_world
from localcluster import Cluster
from localcluster.cluster import Object

DELIVERED = 'workflowexecution_cloudevents_total{result="delivered"}'
TYPE = "ai.kubernaut.workflowexecution"


async def test_an_execution_is_told_to_both(bare_cluster: Cluster, target: str) -> None:
    async with open_receiver("/events") as sink, open_receiver("/v1/traces") as collector:
        item, run = await asyncio.to_thread(_play, bare_cluster, target, sink, collector)

    events = [from_binary_event(HTTPMessage(*request)) for request in sink.taken]
    assert [event.get_type() for event in events] == [f"{TYPE}.running.v1", f"{TYPE}.completed.v1"]
    assert {event.get_subject() for event in events} == {
        f"{item['metadata']['namespace']}/{item['metadata']['name']}"
    }
    spans = {span.name: span for _, span in spans_at(collector)}
    assert set(spans) == {"WorkflowExecution", "create PipelineRun", "PipelineRun", "write status"}
    carrier = json.loads(run["metadata"]["annotations"]["tekton.dev/pipelinerunSpanContext"])
    handed = spans["PipelineRun"]
    assert carrier == {"traceparent": f"00-{handed.trace_id.hex()}-{handed.span_id.hex()}-01"}


def _play(
    cluster: Cluster, target: str, sink: Receiver, collector: Receiver
) -> tuple[Object, Object]:
    flags = (f"--cloudevents-sink={sink.url}", f"--traces-endpoint={collector.url}")
    with open_world(cluster, *flags) as world:
        told = world.completed(target)

        def delivered() -> None:
            assert world.operator.metric(DELIVERED) == 2

        eventually(delivered, dump=world.dump)
        world.operator.stop()
    return told
