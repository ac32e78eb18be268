"""A custom task that a person denies, and one that nobody answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from field.situation import push_pipeline, workflow
from harness import rights
from harness.executions import condition_of, name_of, unique_target
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object

FOLDER = Path(__file__).parent


@pytest.fixture(scope="module")
def world(node_cluster: Cluster, shop: str) -> Iterator[World]:
    """An operator that leaves what a run has left a few seconds."""
    rights.install(node_cluster)
    with open_world(node_cluster, "--leftover-grace=3s") as opened:
        rights.let_run(node_cluster, opened.execution_namespace, shop)
        yield opened


def until_asked(world: World, run: Object) -> Object:
    """Wait for the CustomRun that Tekton makes."""

    def check() -> Object:
        found = world.tekton.custom_runs.get(world.execution_namespace, f"{name_of(run)}-approve")
        assert found is not None, "nobody has been asked"
        return found

    return eventually(check, dump=world.dump)


def test_denied(world: World, node_cluster: Cluster) -> None:
    fields = workflow(push_pipeline(node_cluster, FOLDER))
    item, run = world.launched(unique_target(), **fields)
    until_asked(world, run)
    world.tekton.answer(run, "approve", "False", "Denied", "denied by jane: change freeze")

    failure = world.ended(item, "Failed")["status"]["failureDetails"]
    assert (failure["failedTaskName"], failure["failedTaskIndex"]) == ("approve", 0)
    assert failure["reason"] == "TaskFailed"
    assert "denied by jane: change freeze" in failure["message"]


def test_forgotten(world: World, node_cluster: Cluster) -> None:
    fields = workflow(push_pipeline(node_cluster, FOLDER))
    target = unique_target()
    item, run = world.launched(target, executionConfig={"timeout": "6s"}, **fields)
    asked = until_asked(world, run)

    def is_told() -> None:
        condition = condition_of(world.read(item), "Succeeded")
        assert f"until CustomRun {name_of(asked)} has stopped" in condition["message"], condition

    eventually(is_told, 40, dump=world.dump)
    skipped = world.ended(world.create(target, workflow="other"), "Skipped")
    assert skipped["status"]["skipDetails"]["reason"] == "ResourceBusy"

    # The garbage collector of a new cluster looks for new kinds every half minute.
    failure = world.ended(item, "Failed", 75)["status"]["failureDetails"]
    assert (failure["reason"], failure["failedTaskName"]) == ("DeadlineExceeded", "approve")
    assert failure["wasExecutionFailure"] is False
    assert world.tekton.custom_runs.get(world.execution_namespace, name_of(asked)) is None
