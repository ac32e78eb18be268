"""A run that is pruned as soon as it has ended ended as it did."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.watching import END_S
from field.situation import push_pipeline, workflow
from harness.executions import unique_target
from harness.waiting import eventually
from harness.world import World
from localcluster import Cluster

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("plural", ["pipelineruns", "taskruns"])
def test_the_end_is_told_as_it_was(node_world: World, node_cluster: Cluster, plural: str) -> None:
    item, run = node_world.launched(
        unique_target(), **workflow(push_pipeline(node_cluster, FOLDER))
    )

    def has_succeeded() -> None:
        seen = node_world.run_now(run)
        assert seen
        assert seen.get("status", {}).get("conditions", [{}])[0].get("status") == "True"

    eventually(has_succeeded, END_S, dump=node_world.dump)
    name = run["metadata"]["name"] + ("-work" if plural == "taskruns" else "")
    path = f"/apis/tekton.dev/v1/namespaces/{node_world.execution_namespace}/{plural}/{name}"
    node_cluster.request("DELETE", path)
    node_world.ended(item, "Completed", END_S)
