"""A pod that has ended holds nothing, though its object stays."""

from __future__ import annotations

from pathlib import Path

from e2e.watching import until_a_step_runs
from field.situation import push_pipeline, workflow
from harness.executions import unique_target
from harness.world import World
from localcluster import Cluster

FOLDER = Path(__file__).parent


def test_the_target_is_free(node_world: World, node_cluster: Cluster) -> None:
    reference = push_pipeline(node_cluster, FOLDER)
    target = unique_target()
    item, run = node_world.launched(target, **workflow(reference))
    until_a_step_runs(node_world, run)
    name = f"{run['metadata']['name']}-work-pod"
    path = f"/api/v1/namespaces/{node_world.execution_namespace}/pods/{name}"
    node_cluster.request("PATCH", path, {"metadata": {"finalizers": ["example.com/audit"]}})
    try:
        node_world.executions.delete(item)
        node_world.launched_once_free(target, **workflow(reference, "another"))
        pod = node_cluster.request("GET", path)
    finally:
        node_cluster.request("PATCH", path, {"metadata": {"finalizers": None}})
    assert pod["metadata"]["deletionTimestamp"]
    assert pod["status"]["phase"] in ("Failed", "Succeeded")
