"""A second installation beside the first: whatever it sees, each execution has one run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness import rights
from harness.executions import name_of, unique, unique_target
from harness.objects import create_namespace, delete_namespace
from harness.process import OperatorProcess
from harness.proxy import Proxy
from harness.waiting import eventually, holds_for
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object

# Each takes milliseconds from an execution to its run.
BOTH_HAVE_SEEN_IT_S = 2.0


@pytest.fixture
def world(bare_cluster: Cluster) -> Iterator[World]:
    with open_world(bare_cluster) as opened:
        yield opened


@pytest.fixture
def theirs(bare_cluster: Cluster) -> Iterator[str]:
    """The execution namespace of the other installation."""
    name = unique("their-runs")
    create_namespace(bare_cluster, name)
    rights.extend_to(bare_cluster, name)
    yield name
    delete_namespace(bare_cluster, name)


def test_an_execution_that_two_installations_serve_runs_once(world: World, theirs: str) -> None:
    proxy = Proxy(world.cluster)
    second = world.new_operator(proxy.url, f"--execution-namespace={theirs}")
    second.start(wait=False)
    says_who_serves(second, world)

    items = [world.create(unique_target()) for _ in range(5)]
    for item in items:
        world.in_phase(item, "Running")

    def runs_once() -> None:
        for item in items:
            assert [place_of(run) for run in runs_of(world, item, theirs)] == [
                world.execution_namespace
            ]

    holds_for(runs_once, BOTH_HAVE_SEEN_IT_S)
    assert [one.kind for one in proxy.since() if one.is_write] == []
    second.stop()
    proxy.close()


def says_who_serves(second: OperatorProcess, world: World) -> None:
    def check() -> None:
        status, text = second.ask("/readyz")
        assert status == 503
        assert world.execution_namespace in text
        assert world.source in text

    eventually(check, dump=second.log_tail)


def runs_of(world: World, item: Object, theirs: str) -> list[Object]:
    """Runs made for an execution, by either of the two."""
    there = world.tekton.runs.list(theirs)
    return world.runs_of(item) + [
        run for run in there if name_of(item) in run["metadata"]["labels"].values()
    ]


def place_of(run: Object) -> str:
    return str(run["metadata"]["namespace"])
