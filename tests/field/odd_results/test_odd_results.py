"""Results that are no clean text make no status that cannot be written."""

from __future__ import annotations

from pathlib import Path

from e2e.watching import END_S
from field.situation import push_pipeline, workflow
from harness.executions import condition_of, unique_target
from harness.world import World
from localcluster import Cluster

FOLDER = Path(__file__).parent


def test_a_reason_with_a_newline_counts(node_world: World, node_cluster: Cluster) -> None:
    fields = workflow(push_pipeline(node_cluster, FOLDER, "reason.yaml"))
    item = node_world.create(unique_target(), **fields)
    failure = node_world.ended(item, "Failed", END_S)["status"]["failureDetails"]
    assert (failure["reason"], failure["exitCode"]) == ("Forbidden", 3)
    assert "ended with exit code 3: one two; see: " in failure["message"]


def test_bytes_that_are_no_text_are_shown_as_text(node_world: World, node_cluster: Cluster) -> None:
    fields = workflow(push_pipeline(node_cluster, FOLDER, "bytes.yaml"))
    done = node_world.ended(node_world.create(unique_target(), **fields), "Completed", END_S)
    said = condition_of(done, "Succeeded")["message"]
    assert said.startswith("found: a\ufffd")
    assert said.endswith(" end")
    assert "\n" not in said
