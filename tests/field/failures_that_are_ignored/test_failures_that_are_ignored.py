"""The failure that ended a run is told, not one that the workflow ignores."""

from __future__ import annotations

from pathlib import Path

from e2e.watching import END_S
from field.situation import push_pipeline, workflow
from harness.executions import condition_of, unique_target
from harness.world import World
from localcluster import Cluster

FOLDER = Path(__file__).parent


def test_the_failure_that_counts_is_told(node_world: World, node_cluster: Cluster) -> None:
    launched = {
        file: node_world.create(
            unique_target(), **workflow(push_pipeline(node_cluster, FOLDER, f"{file}.yaml"))
        )
        for file in ("soft_task", "soft_step", "all_soft")
    }
    for file in ("soft_task", "soft_step"):
        failure = node_world.ended(launched[file], "Failed", END_S)["status"]["failureDetails"]
        assert (failure["failedStepName"], failure["exitCode"]) == ("hard", 4), file
    done = node_world.ended(launched["all_soft"], "Completed", END_S)
    assert "Failed: 1 (Ignored: 1)" in condition_of(done, "Succeeded")["message"]
