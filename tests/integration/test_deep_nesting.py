"""A run nested deeper than Python allows costs neither the sight of other runs nor a start."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from harness.executions import unique_target
from harness.objects import Objects
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object

# Python's limit is 1,000, and the API server's 10,000.
DEPTH = 3_000


@pytest.fixture(autouse=True)
def may_nest_deep() -> Iterator[None]:
    """This process has to write and read such objects, too."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10 * DEPTH)
    yield
    sys.setrecursionlimit(limit)


@pytest.fixture
def world(bare_cluster: Cluster) -> Iterator[World]:
    with open_world(bare_cluster) as opened:
        yield opened


def deep_run(world: World) -> Object:
    """A run that somebody else creates, for a task of a kind whose spec may be anything."""
    spec: Object = {"leaf": True}
    for _ in range(DEPTH):
        spec = {"within": spec}
    custom = {"apiVersion": "example.com/v1", "kind": "Custom", "spec": spec}
    meta = {"name": "nested", "namespace": world.execution_namespace}
    tasks = [{"name": "deep", "taskSpec": custom}]
    body = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": meta}
    return {**body, "spec": {"pipelineSpec": {"tasks": tasks}}}


def test_a_run_nested_too_deep_is_passed_over_by_the_watch_and_at_a_start(world: World) -> None:
    runs = Objects(world.cluster, "pipelineruns")
    nested = runs.create(deep_run(world))
    world.completed(unique_target())

    world.operator.stop()
    world.operator.start()
    world.completed(unique_target())
    runs.delete(nested)
    world.completed(unique_target())
    eventually(world.operator.assert_clean_log)
