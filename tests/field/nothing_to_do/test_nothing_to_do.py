"""A run without work is a good end that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.watching import END_S
from field.situation import push_pipeline, workflow
from harness.executions import condition_of, unique_target
from harness.world import World
from localcluster import Cluster

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("file", ["skipped.yaml", "empty.yaml"])
def test_that_nothing_was_done_is_said(node_world: World, node_cluster: Cluster, file: str) -> None:
    fields = workflow(push_pipeline(node_cluster, FOLDER, file))
    item = node_world.create(unique_target(), **fields)
    done = node_world.ended(item, "Completed", END_S)
    said = condition_of(done, "Succeeded")["message"]
    assert said.startswith("no task has run, so nothing was done: Tasks Completed: 0 (")
