"""Pytest fixtures of a world on the real node: real Tekton, real containers, the shipped rights."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness import rights
from harness.executions import unique
from harness.objects import create_namespace, delete_namespace
from harness.world import World, open_world
from localcluster import Cluster


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


def secure(cluster: Cluster, namespace: str) -> None:
    """Hold pods to the level of Pod Security that the shipped execution namespace has."""
    labels = {"pod-security.kubernetes.io/enforce": "baseline"}
    cluster.request("PATCH", f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": labels}})
