"""Tekton makes a pod again that is gone without a trace: people see that its steps run twice."""

from __future__ import annotations

import json
from pathlib import Path

from e2e.watching import END_S
from field.situation import push_pipeline, workflow
from harness.executions import name_of, unique_target
from harness.plugin_command import ask
from harness.waiting import eventually
from harness.world import World
from localcluster.cluster import Object

FORCED = {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}
AGAIN = "work: its pod was gone; its steps begin from the start, and may run twice"


def test_steps_that_begin_from_the_start_are_in_the_timeline(node_world: World) -> None:
    reference = push_pipeline(node_world.cluster, Path(__file__).parent)
    target = unique_target()
    item, run = node_world.launched(target, **workflow(reference))
    first = _at_work(node_world, name_of(run), "")
    assert _told_again(node_world, item) == []

    path = f"/api/v1/namespaces/{node_world.execution_namespace}/pods/{name_of(first)}"
    node_world.cluster.request("DELETE", path, FORCED, "application/json")

    second = _at_work(node_world, name_of(run), first["metadata"]["uid"])
    assert name_of(second) == name_of(first)
    assert _told_again(node_world, item) == [AGAIN]
    # Both pods were of one run: its target was held all the time.
    node_world.ended(node_world.create(target, **workflow(reference)), "Skipped")
    node_world.cluster.request("DELETE", path)
    node_world.ended(item, "Failed", END_S)
    assert _told_again(node_world, item) == [AGAIN]


def _told_again(world: World, item: Object) -> list[str]:
    told = json.loads(ask(world, "describe", name_of(item), "-o", "json").out)
    return [one["detail"] for one in told["timeline"] if one["what"] == "task started again"]


def _at_work(world: World, run: str, not_uid: str) -> Object:
    """The pod whose step's own command has begun."""

    def check() -> Object:
        pods = world.tekton.pods.list(world.execution_namespace)
        begun = [pod for pod in pods if _has_begun(pod, run, not_uid)]
        assert begun, "no step has begun"
        return begun[0]

    return eventually(check, END_S, dump=world.dump)


def _has_begun(pod: Object, run: str, not_uid: str) -> bool:
    meta = pod["metadata"]
    known = (
        meta["labels"].get("tekton.dev/pipelineRun"),
        meta["annotations"].get("tekton.dev/ready"),
    )
    return known == (run, "READY") and meta["uid"] != not_uid
