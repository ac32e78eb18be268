"""Every pod of a run has what the operator is told to give it, and runs where others may not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.watching import END_S
from field.situation import open_node_world, push_pipeline, workflow
from harness.executions import name_of, unique, unique_target
from harness.world import World
from localcluster import Cluster
from localcluster.cluster import Object

HERE = Path(__file__).parent
CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"
TAINT = {"key": "example.com/dedicated", "value": "remediation", "effect": "NoSchedule"}
KEPT = {"karpenter.sh/do-not-disrupt": "true"}


@pytest.fixture
def priority(node_cluster: Cluster) -> Iterator[str]:
    """Name of a PriorityClass."""
    name = unique("important")
    node_cluster.request("POST", CLASSES, {"metadata": {"name": name}, "value": 1000})
    yield name
    node_cluster.request("DELETE", f"{CLASSES}/{name}")


@pytest.fixture
def tainted(node_cluster: Cluster) -> Iterator[None]:
    """Keep all pods without a toleration away from every node."""
    nodes = node_cluster.request("GET", "/api/v1/nodes")["items"]
    _taint(node_cluster, nodes, [TAINT])
    yield
    _taint(node_cluster, nodes, [])


def test_a_pod_with_toleration_and_priority_runs_where_others_may_not(
    node_cluster: Cluster, shop: str, priority: str, tainted: None
) -> None:
    given: dict[str, Any] = {
        "priorityClassName": priority,
        "tolerations": [{"key": TAINT["key"], "operator": "Exists", "effect": "NoSchedule"}],
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "annotations": KEPT,
        "securityContext": {"runAsUser": 1234},
    }
    with open_node_world(node_cluster, shop, f"--run-pod={json.dumps(given)}") as world:
        done = _end(world, "Completed")
        (pod,) = _pods(world, done)

    assert pod["spec"]["priorityClassName"] == priority
    assert pod["spec"]["priority"] == 1000
    assert given["tolerations"][0] in pod["spec"]["tolerations"]
    assert pod["spec"]["nodeSelector"] == given["nodeSelector"]
    assert pod["metadata"]["annotations"].items() >= KEPT.items()
    # The rest of the security context is as shipped.
    context = pod["spec"]["securityContext"]
    assert (context["runAsUser"], context["runAsNonRoot"]) == (1234, True)
    request = "kubernaut.ai/remediation-request"
    assert pod["metadata"]["labels"][request] == "request-1"
    assert pod["metadata"]["annotations"][request] == "request-1"


def test_a_priority_class_that_does_not_exist_is_named(node_cluster: Cluster, shop: str) -> None:
    given = json.dumps({"priorityClassName": "not-there"})
    with open_node_world(node_cluster, shop, f"--run-pod={given}") as world:
        failure = _end(world, "Failed")["status"]["failureDetails"]

    assert "no PriorityClass with name not-there was found" in failure["message"]
    assert failure["wasExecutionFailure"] is False


def _end(world: World, phase: str) -> Object:
    image = push_pipeline(world.cluster, HERE)
    return world.ended(world.create(unique_target(), **workflow(image)), phase, END_S)


def _pods(world: World, item: Object) -> list[Object]:
    run = name_of(world.run_of(item))
    found: list[Object] = world.cluster.request(
        "GET",
        f"/api/v1/namespaces/{world.execution_namespace}/pods"
        f"?labelSelector=tekton.dev/pipelineRun={run}",
    )["items"]
    return found


def _taint(cluster: Cluster, nodes: list[Object], taints: list[dict[str, str]]) -> None:
    for node in nodes:
        path = f"/api/v1/nodes/{name_of(node)}"
        cluster.request("PATCH", path, {"spec": {"taints": taints}})
