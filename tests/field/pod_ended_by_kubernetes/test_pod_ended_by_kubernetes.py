"""A pod that Kubernetes ends while its step works: the failure says so, in Kubernetes' words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from e2e.watching import END_S
from field.situation import push_pipeline, workflow
from harness.executions import name_of, unique_target
from harness.waiting import eventually
from harness.world import World
from localcluster.cluster import Object

TAINT = {"key": "maintenance", "value": "now", "effect": "NoExecute"}


def test_its_deadline_is_told(node_world: World) -> None:
    item, pod = _at_work(node_world)
    # A policy gives this to pods as they are made.
    path = f"/api/v1/namespaces/{node_world.execution_namespace}/pods/{name_of(pod)}"
    node_world.cluster.request("PATCH", path, {"spec": {"activeDeadlineSeconds": 1}})

    failure = _failure_of(node_world, item)

    assert (failure["reason"], failure["wasExecutionFailure"]) == ("DeadlineExceeded", True)
    assert "Kubernetes ended its pod: DeadlineExceeded: " in failure["message"]
    assert "spec.executionConfig.timeout" not in failure["naturalLanguageSummary"]


def test_an_eviction_is_told_by_name(node_world: World) -> None:
    item, pod = _at_work(node_world)
    node = f"/api/v1/nodes/{pod['spec']['nodeName']}"
    node_world.cluster.request("PATCH", node, {"spec": {"taints": [TAINT]}})
    try:
        failure = _failure_of(node_world, item)
    finally:
        node_world.cluster.request("PATCH", node, {"spec": {"taints": []}})

    assert (failure["reason"], failure["wasExecutionFailure"]) == ("Unknown", True)
    # The pod tells its end itself until it is gone; from then on only its Events do.
    told = re.search(r"Kubernetes ended its pod: (\w+): ", failure["message"])
    assert told, failure
    assert told[1] in ("DeletionByTaintManager", "TaintManagerEviction")
    assert "Find out who ended the run" not in failure["naturalLanguageSummary"]


def test_a_deletion_is_told_though_the_step_ends_with_a_code_of_its_own(node_world: World) -> None:
    item, pod = _at_work(node_world)
    path = f"/api/v1/namespaces/{node_world.execution_namespace}/pods/{name_of(pod)}"
    node_world.cluster.request("DELETE", path)

    failure = _failure_of(node_world, item)

    assert (failure["reason"], failure["wasExecutionFailure"]) == ("Unknown", True)
    assert ": its pod was deleted, evicted or killed while it worked" in failure["message"]


def _at_work(world: World) -> tuple[Object, Object]:
    """An execution whose step's own command has begun, and its pod."""
    reference = push_pipeline(world.cluster, Path(__file__).parent)
    item, _ = world.launched(unique_target(), **workflow(reference))

    def check() -> Object:
        pods = world.tekton.pods.list(world.execution_namespace)
        begun = [pod for pod in pods if _has_begun(pod, name_of(world.run_of(item)))]
        assert begun, "no step has begun"
        return begun[0]

    return item, eventually(check, END_S, dump=world.dump)


def _has_begun(pod: Object, run: str) -> bool:
    meta = pod["metadata"]
    known = (
        meta["labels"].get("tekton.dev/pipelineRun"),
        meta["annotations"].get("tekton.dev/ready"),
    )
    return known == (run, "READY")


def _failure_of(world: World, item: Object) -> dict[str, Any]:
    failure: dict[str, Any] = world.ended(item, "Failed", END_S)["status"]["failureDetails"]
    return failure
