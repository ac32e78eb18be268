"""A world on the real node: real Tekton, real bundles, real containers, the shipped rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from e2e.workload import create_workload
from harness import rights
from harness.executions import unique
from harness.objects import create_namespace, delete_namespace
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.bundles import push_folder

TEKTON = Path(__file__).parents[2] / "tekton"


@pytest.fixture(scope="session")
def bundles(node_cluster: Cluster) -> Mapping[str, str]:
    """References of all workflows in tekton/, pushed to the cluster's registry."""
    registry = node_cluster.registry
    assert registry
    return {
        folder.name: push_folder(registry, f"e2e/{folder.name}", folder)
        for folder in sorted(TEKTON.iterdir())
        if folder.is_dir()
    }


@pytest.fixture(scope="session")
def node_world(node_cluster: Cluster, shop: str) -> Iterator[World]:
    """Namespaces and an operator of the session's own, with settings as shipped."""
    rights.install(node_cluster)
    with open_world(node_cluster) as world:
        rights.let_run(node_cluster, world.execution_namespace, shop)
        secure(node_cluster, world.execution_namespace)
        yield world


@pytest.fixture(scope="session")
def shop(node_cluster: Cluster) -> Iterator[str]:
    """A namespace for what is remediated."""
    name = unique("shop")
    create_namespace(node_cluster, name)
    yield name
    delete_namespace(node_cluster, name)


@pytest.fixture
def deployment(node_cluster: Cluster, shop: str) -> str:
    """Target text of a Deployment with one running pod."""
    return create_workload(node_cluster, shop)


def secure(cluster: Cluster, namespace: str) -> None:
    """Hold pods to the level of Pod Security that the shipped execution namespace has."""
    labels = {"pod-security.kubernetes.io/enforce": "baseline"}
    cluster.request("PATCH", f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": labels}})
