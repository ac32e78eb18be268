"""Pytest fixtures: a cluster without Tekton's controllers, and a world in it for each module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness import rights
from harness.executions import unique_target
from harness.world import World, open_world
from localcluster import Cluster, Tier, lifecycle
from localcluster.pytest_plugin import WANTED


@pytest.fixture(scope="session")
def bare_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster in which no real Tekton disputes the played one, with our rights installed."""
    if request.config.stash.get(WANTED, Tier.API) is Tier.API:
        shared: Cluster = request.getfixturevalue("cluster")
        if shared.tier is Tier.API:
            rights.install(shared)
            yield shared
            return
    with lifecycle.running(Tier.API) as own:
        rights.install(own)
        yield own


@pytest.fixture(scope="module")
def world(bare_cluster: Cluster) -> Iterator[World]:
    """Namespaces and an operator of the module's own, with settings as shipped."""
    with open_world(bare_cluster) as opened:
        yield opened


@pytest.fixture
def target() -> str:
    """A target that no other test knows."""
    return unique_target()
