"""A parameter that the workflow does not declare is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from e2e.watching import END_S
from field.situation import push_pipeline, workflow
from harness.executions import condition_of, unique_target
from harness.plugin_command import ask
from harness.waiting import eventually
from harness.world import World
from localcluster import Cluster
from localcluster.cluster import Object

FOLDER = Path(__file__).parent
SAID = "the workflow declares no parameter REPLICA (did you mean REPLICAS?)"


def test_what_the_workflow_does_not_declare_is_told(
    node_world: World, node_cluster: Cluster
) -> None:
    fields = workflow(push_pipeline(node_cluster, FOLDER))
    item = node_world.create(unique_target(), parameters={"REPLICA": "3"}, **fields)
    done = node_world.ended(item, "Completed", END_S)
    found = condition_of(done, "UndeclaredParameter")
    assert (found["status"], found["message"]) == ("True", f"{SAID}; it declares REPLICAS")
    eventually(lambda: _assert_warned(node_world, item), dump=node_world.dump)

    flags = ("--image", fields["workflowRef"]["containerImage"], "-p", "REPLICA=3")
    told = ask(node_world, "submit", "--target", unique_target(), *_of(fields), *flags)
    assert told.status == 0, told
    assert f"warning: {SAID}; it declares REPLICAS (as its last run" in " ".join(told.err.split())


def _of(fields: dict[str, Any]) -> tuple[str, ...]:
    ref = fields["workflowRef"]
    return "--workflow", ref["workflowId"], "--version", ref["version"]


def _assert_warned(world: World, item: Object) -> None:
    warned = [event["reason"] for event in world.events_of(item) if event["type"] == "Warning"]
    assert warned == ["UndeclaredParameter"]
