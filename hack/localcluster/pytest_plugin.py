"""Pytest fixtures: a real cluster of the tier that a test asks for, a namespace for each test.

A session starts at most one cluster: the highest tier that any collected test asks for serves
them all. A cluster that runs already in WFE_CLUSTER_STATE is used and left running.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from localcluster import lifecycle, machine
from localcluster.cluster import ApiError, Cluster
from localcluster.programs import Tier
from localcluster.waiting import eventually

FIXTURE_TIERS = {
    "api_cluster": Tier.API,
    "tekton_cluster": Tier.TEKTON,
    "pod_cluster": Tier.NODE,
    "node_cluster": Tier.NODE,
}
WANTED = pytest.StashKey[Tier]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Find out which tier the session needs."""
    asked = [
        FIXTURE_TIERS[name]
        for item in session.items
        for name in getattr(item, "fixturenames", ())
        if name in FIXTURE_TIERS
    ]
    session.config.stash[WANTED] = max(asked, key=lambda tier: tier.rank, default=Tier.API)


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """The session's cluster, of the highest tier that any of its tests needs."""
    wanted = machine.tier_to_test(pytestconfig.stash.get(WANTED, Tier.API))
    if running := _running_already():
        least = Tier.KWOK if wanted is Tier.NODE else wanted
        if not running.tier.serves(least):
            pytest.fail(f"the cluster in {running.state} is of tier {running.tier}, not {least}")
        yield running
        return
    with lifecycle.running(wanted) as started:
        yield started


@pytest.fixture(scope="session")
def api_cluster(cluster: Cluster) -> Cluster:
    """A cluster with at least etcd, the API server and all resource definitions."""
    return cluster


@pytest.fixture(scope="session")
def tekton_cluster(cluster: Cluster) -> Cluster:
    """A cluster with at least Tekton's controller, webhook, resolvers and a registry."""
    return cluster


@pytest.fixture(scope="session")
def pod_cluster(cluster: Cluster) -> Cluster:
    """A cluster whose pods end: a real node runs them, or kwok says so."""
    return cluster


@pytest.fixture(scope="session")
def node_cluster(cluster: Cluster) -> Cluster:
    """A cluster that runs real containers; the test is skipped where the machine cannot."""
    if cluster.tier is not Tier.NODE:
        pytest.skip(f"needs a real node, the cluster's tier is {cluster.tier}")
    return cluster


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """Name of a fresh namespace that can run pods; deleted, in the background, after the test."""
    name = f"test-{secrets.token_hex(4)}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    cluster.request("POST", "/api/v1/namespaces", body)
    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    eventually(lambda: cluster.exists(account), what="the namespace's default account")
    yield name
    with suppress(ApiError):
        cluster.request("DELETE", f"/api/v1/namespaces/{name}")


def _running_already() -> Cluster | None:
    chosen = os.environ.get("WFE_CLUSTER_STATE")
    return lifecycle.find(Path(chosen).absolute()) if chosen else None
