"""A real node, an operator without a cooldown, and a namespace whose objects are remediated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bundles.remedy import POWERLESS, TEKTON, Remedy
from harness import rights
from harness.executions import unique
from harness.node import secure
from harness.objects import create_namespace, delete_namespace
from harness.world import open_world
from localcluster import Cluster
from localcluster.bundles import push_folder
from localcluster.objects import apply


@pytest.fixture(scope="session")
def shop(node_cluster: Cluster) -> Iterator[str]:
    """A namespace for what is remediated."""
    name = unique("shop")
    create_namespace(node_cluster, name)
    yield name
    delete_namespace(node_cluster, name)


@pytest.fixture(scope="session")
def remedy(node_cluster: Cluster) -> Iterator[Remedy]:
    """All bundles, pushed to the cluster's registry, and an operator that launches them."""
    registry = node_cluster.registry
    assert registry
    rights.install(node_cluster)
    references = {
        path.parent.name: push_folder(registry, f"bundles/{path.parent.name}", path.parent)
        for path in sorted(TEKTON.glob("*/workflow.yaml"))
    }
    with open_world(node_cluster, "--cooldown=0s") as world:
        secure(node_cluster, world.execution_namespace)
        meta = {"namespace": world.execution_namespace, "name": POWERLESS}
        apply(node_cluster, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
        yield Remedy(world, references)
