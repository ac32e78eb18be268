"""Uninstalling never waits for an operator that is gone, and cooldowns hold when it comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import rights
from harness.executions import name_of, unique_target
from harness.kubectl import kubectl
from harness.world import World
from localcluster import Cluster, Tier, lifecycle
from localcluster.overlays import MANIFESTS
from localcluster.waiting import eventually as until

MANY = 100
DEFINITION = (
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
    "workflowexecutions.workflowexecution.kubernaut.ai"
)


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A cluster of the test's own: the definition is deleted from it."""
    with lifecycle.running(Tier.API) as cluster:
        yield cluster


def _install(cluster: Cluster) -> None:
    for folder in ("namespaces", ""):
        applied = kubectl(cluster, "apply", "-k", str(MANIFESTS / folder))
        assert applied.returncode == 0, applied.stderr


def test_everything_goes_without_the_operator_and_cooldowns_hold(
    own_cluster: Cluster, tmp_path: Path
) -> None:
    _install(own_cluster)
    world = World(own_cluster, tmp_path, ())
    try:
        world.operator.start()
        target = unique_target()
        world.completed(target)
        _, active = world.launched(unique_target())
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: world.create(target), range(MANY)))
        world.operator.kill()

        began_at = time.monotonic()
        deleted = kubectl(own_cluster, "delete", "-k", str(MANIFESTS), "--timeout=30s")
        print(f"deleted within {time.monotonic() - began_at:.1f} s")
        assert deleted.returncode == 0, deleted.stderr
        assert not own_cluster.exists(DEFINITION)

        _install(own_cluster)
        rights.extend_to(own_cluster, world.execution_namespace)
        until(lambda: own_cluster.exists(DEFINITION), 10)
        again = world.new_operator(world.proxy.url)
        again.start()
        skipped = world.ended(world.create(target), "Skipped")
        assert skipped["status"]["skipDetails"]["reason"] == "RecentlyRemediated"
        until(lambda: _is_cancelled(world, name_of(active)), 10)
        again.stop()
    finally:
        world.close()


def _is_cancelled(world: World, name: str) -> bool:
    run = world.tekton.runs.get(world.execution_namespace, name)
    return run is not None and run["spec"].get("status") == "Cancelled"
