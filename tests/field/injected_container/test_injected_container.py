"""Somebody debugs a pod of a workflow, and the workflow ends."""

from __future__ import annotations

from pathlib import Path

from e2e.watching import live_pods, until_a_step_runs
from field.situation import push_pipeline, workflow
from harness.executions import name_of, unique_target
from harness.waiting import eventually
from harness.world import World
from localcluster import Cluster

# How `kubectl debug` adds its container to a list of others.
STRATEGIC = "application/strategic-merge-patch+json"
FOLDER = Path(__file__).parent


def test_who_debugs_holds_nothing_and_is_left_alone(
    node_world: World, node_cluster: Cluster
) -> None:
    reference = push_pipeline(node_cluster, FOLDER)
    target = unique_target()
    item, run = node_world.launched(target, **workflow(reference))
    until_a_step_runs(node_world, run)
    (pod,) = live_pods(node_world, run)
    _debug(node_cluster, node_world.execution_namespace, name_of(pod))

    failure = node_world.ended(item, "Failed")["status"]["failureDetails"]
    assert (failure["reason"], failure["exitCode"]) == ("TaskFailed", 1)

    def is_told() -> None:
        notes = {event["reason"]: event["note"] for event in node_world.events_of(item)}
        assert "debugger-x" in notes.get("PodLeftAlone", "")

    eventually(is_told, dump=node_world.dump)
    node_world.launched(target, **workflow(reference, "other"))
    left = node_world.tekton.pods.get(node_world.execution_namespace, name_of(pod))
    assert left is not None
    assert left["status"]["phase"] == "Running"
    assert "deletionTimestamp" not in left["metadata"]
    node_world.tekton.pods.delete(left)


def _debug(cluster: Cluster, namespace: str, pod: str) -> None:
    """Do what `kubectl debug` does."""
    container = {
        "name": "debugger-x",
        "image": f"{cluster.registry}/shell:latest",
        "command": ["sh", "-c", "sleep 300"],
    }
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/ephemeralcontainers"
    cluster.request("PATCH", path, {"spec": {"ephemeralContainers": [container]}}, STRATEGIC)

    def runs() -> None:
        seen = cluster.request("GET", f"/api/v1/namespaces/{namespace}/pods/{pod}")
        (status,) = seen["status"].get("ephemeralContainerStatuses") or ({"state": {}},)
        assert "running" in status["state"], status

    eventually(runs)
