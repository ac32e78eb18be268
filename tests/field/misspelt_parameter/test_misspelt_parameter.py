"""A parameter that the workflow does not declare is named."""

from __future__ import annotations

from pathlib import Path

from e2e.watching import END_S
from field.situation import push_pipeline, workflow
from harness.executions import condition_of, unique_target
from harness.world import World
from localcluster import Cluster

FOLDER = Path(__file__).parent


def test_what_the_workflow_does_not_declare_is_told(
    node_world: World, node_cluster: Cluster
) -> None:
    fields = workflow(push_pipeline(node_cluster, FOLDER))
    item = node_world.create(unique_target(), parameters={"REPLICA": "3"}, **fields)
    done = node_world.ended(item, "Completed", END_S)
    said = condition_of(done, "Succeeded")["message"]
    assert said.endswith("; the workflow declares no parameter REPLICA")
