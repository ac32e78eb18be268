"""A run that was deleted without its tasks holds its target until they have ended."""

from __future__ import annotations

from pathlib import Path

from e2e.watching import END_S, live_pods, until_a_step_runs
from field.situation import push_pipeline, workflow
from harness.executions import unique_target
from harness.world import World
from localcluster import Cluster

FOLDER = Path(__file__).parent


def test_the_target_is_held_until_the_pod_has_ended(
    node_world: World, node_cluster: Cluster
) -> None:
    fields = workflow(push_pipeline(node_cluster, FOLDER))
    target = unique_target()
    item, run = node_world.launched(target, **fields)
    until_a_step_runs(node_world, run)
    path = f"/apis/tekton.dev/v1/namespaces/{node_world.execution_namespace}/pipelineruns"
    name = run["metadata"]["name"]
    node_cluster.request("DELETE", f"{path}/{name}?propagationPolicy=Orphan")

    other = node_world.ended(node_world.create(target, **fields), "Skipped")
    assert live_pods(node_world, run)
    holder = other["status"]["skipDetails"]["conflictingWorkflow"]
    assert holder["name"] == item["metadata"]["name"]

    failure = node_world.ended(item, "Failed", END_S)["status"]["failureDetails"]
    assert not live_pods(node_world, run)
    assert "was deleted by somebody else" in failure["message"]
    assert failure["wasExecutionFailure"] is True
