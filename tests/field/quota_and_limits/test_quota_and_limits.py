"""A pod that the execution namespace's rules do not let be made is told at once, with the rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from e2e.watching import END_S
from field.situation import push_pipeline, workflow
from harness.executions import unique, unique_target
from harness.waiting import eventually
from harness.world import World
from localcluster import Cluster

FOLDER = Path(__file__).parent
QUOTA = {"hard": {"limits.cpu": "4"}}
LIMITS = {"limits": [{"type": "Container", "max": {"memory": "32Mi"}}]}


@pytest.mark.parametrize(
    ("plural", "spec", "said"),
    [
        ("resourcequotas", QUOTA, "must specify limits.cpu for: "),
        ("limitranges", LIMITS, "maximum memory usage per Container is 32Mi, but limit is 64Mi"),
    ],
)
def test_the_rule_is_told(
    node_world: World, node_cluster: Cluster, plural: str, spec: dict[str, Any], said: str
) -> None:
    path = f"/api/v1/namespaces/{node_world.execution_namespace}/{plural}"
    name = unique("rule")
    node_cluster.request("POST", path, {"metadata": {"name": name}, "spec": spec})
    try:
        if plural == "resourcequotas":
            eventually(lambda: _is_counted(node_cluster, f"{path}/{name}"))
        fields = workflow(push_pipeline(node_cluster, FOLDER))
        item = node_world.create(unique_target(), **fields)
        failure = node_world.ended(item, "Failed", END_S)["status"]["failureDetails"]
    finally:
        node_cluster.request("DELETE", f"{path}/{name}")
    assert failure["reason"] == "ConfigurationError"
    assert said in failure["message"]
    assert failure["wasExecutionFailure"] is False


def _is_counted(cluster: Cluster, path: str) -> None:
    assert cluster.request("GET", path).get("status", {}).get("used"), "not counted yet"
