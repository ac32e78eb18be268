"""The steps have succeeded, and a sidecar goes on changing the target."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from field.situation import push_pipeline, workflow
from harness import rights
from harness.executions import condition_of, unique_target
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster

FOLDER = Path(__file__).parent


@pytest.fixture
def world(node_cluster: Cluster, shop: str) -> Iterator[World]:
    """An operator that leaves pods a few seconds, so that nobody waits for the kubelet's 30."""
    rights.install(node_cluster)
    with open_world(node_cluster, "--leftover-grace=3s") as opened:
        rights.let_run(node_cluster, opened.execution_namespace, shop)
        yield opened


def test_the_target_is_held_until_the_sidecar_has_stopped(
    world: World, node_cluster: Cluster
) -> None:
    reference = push_pipeline(node_cluster, FOLDER)
    target = unique_target()
    item, run = world.launched(target, **workflow(reference))

    def is_told() -> None:
        condition = condition_of(world.read(item), "Succeeded")
        assert condition["reason"] == "Stopping", condition
        assert "the target is held until pod " in condition["message"]

    eventually(is_told, 60, dump=world.dump)
    skipped = world.ended(world.create(target, workflow="other"), "Skipped")
    assert skipped["status"]["skipDetails"]["reason"] == "ResourceBusy"

    done = world.ended(item, "Completed", 60)
    ended = world.run_now(run)
    assert ended is not None
    assert done["status"]["completionTime"] == ended["status"]["completionTime"]
    pods = world.tekton.pods.list(world.execution_namespace)
    assert {pod["status"]["phase"] for pod in pods} <= {"Failed"}

    def is_recorded() -> None:
        assert "PodDeleted" in {event["reason"] for event in world.events_of(item)}

    eventually(is_recorded, dump=world.dump)
    world.launched(target, **workflow(reference, "other"))
