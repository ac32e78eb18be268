"""Of several tasks that fail, the cause is named."""

from __future__ import annotations

from pathlib import Path

from e2e.watching import END_S
from field.situation import push_pipeline, workflow
from harness.executions import unique_target
from harness.world import World
from localcluster import Cluster

FOLDER = Path(__file__).parent


CAUSES = {
    "at_once": ("beta", 1, 5),
    "finally_too": ("work", 0, 4),
    "finally_alone": ("tidy", 1, 5),
}


def test_the_first_that_failed_is_named(node_world: World, node_cluster: Cluster) -> None:
    launched = {
        file: node_world.create(
            unique_target(), **workflow(push_pipeline(node_cluster, FOLDER, f"{file}.yaml"))
        )
        for file in CAUSES
    }
    for file, cause in CAUSES.items():
        failure = node_world.ended(launched[file], "Failed", END_S)["status"]["failureDetails"]
        named = (failure["failedTaskName"], failure["failedTaskIndex"], failure["exitCode"])
        assert named == cause, file
