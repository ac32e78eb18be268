"""A run is known for what it is when its labels or annotations are gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.watching import END_S, until_a_step_runs
from field.situation import push_pipeline, workflow
from harness.executions import unique_target
from harness.world import World
from localcluster import Cluster

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("marks", ["labels", "annotations"])
def test_it_holds_and_is_followed_all_the_same(
    node_world: World, node_cluster: Cluster, marks: str
) -> None:
    fields = workflow(push_pipeline(node_cluster, FOLDER))
    target = unique_target()
    item, run = node_world.launched(target, **fields)
    until_a_step_runs(node_world, run)
    off = {key: None for key in run["metadata"][marks] if key.startswith("kubernaut.ai/")}
    assert len(off) >= 5
    path = f"/apis/tekton.dev/v1/namespaces/{node_world.execution_namespace}/pipelineruns"
    body = {"metadata": {marks: off}}
    node_cluster.request("PATCH", f"{path}/{run['metadata']['name']}", body)

    other = node_world.ended(node_world.create(target, **fields), "Skipped")
    holder = other["status"]["skipDetails"]["conflictingWorkflow"]
    assert holder["name"] == item["metadata"]["name"]
    assert holder["workflowId"] == fields["workflow"]
    node_world.ended(item, "Completed", END_S)
