"""A cluster with a real node, in which the operator runs as users install it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from build_version import version_of_checkout
from harness.objects import create_namespace
from incluster import dockerfile
from incluster.inventory import Inventory
from live_demo.deployed import deploy
from live_demo.ground import Ground, ground_of
from localcluster import Cluster, ClusterError, Tier, lifecycle, machine
from operator_image.assemble import push
from operator_image.layout import push_layout
from operator_image.origin import at, working_tree
from operator_image.sbom import NAME

TEAM = "team"


@pytest.fixture(scope="session")
def node() -> Iterator[Cluster]:
    """A cluster of this session's own: an operator that serves all namespaces is put into it."""
    if machine.tier_to_test(Tier.NODE) is not Tier.NODE:
        pytest.skip("needs a real node")
    with lifecycle.running(Tier.NODE) as cluster:
        create_namespace(cluster, TEAM)
        yield cluster


@pytest.fixture(scope="session")
def before(node: Cluster) -> Inventory:
    """The objects of the cluster without the operator; only the definition is installed."""
    return Inventory.of(node)


@pytest.fixture(scope="session")
def previous(node: Cluster, before: Inventory) -> Ground:
    """The operator of the commit before this one, installed and ready."""
    assert node.registry
    try:
        with at("HEAD~1") as origin:
            image = push(origin, node.registry)
    except ClusterError:
        # Where git has no history: another image of the same sources.
        image = push(replace(working_tree(), revision="before"), node.registry)
    ground = ground_of(node, image)
    deploy(ground)
    return ground


@pytest.fixture(scope="session")
def current(node: Cluster, previous: Ground) -> Ground:
    """The ground with the image of this checkout, which the operator may yet have to run."""
    assert node.registry
    return replace(previous, operator=push(working_tree(), node.registry))


@pytest.fixture
def installed(current: Ground) -> Ground:
    """The operator of this checkout, installed and ready."""
    deploy(current)
    return current


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """The OCI layout of the image that the Dockerfile makes; None where it cannot be built here."""
    if dockerfile.why_not():
        return None
    folder = tmp_path_factory.mktemp("described")
    return dockerfile.build(working_tree(), version_of_checkout(), folder)


@pytest.fixture
def described_ground(current: Ground, described: Path | None) -> Ground:
    """The ground with that image; with the one of `make image` where there is no builder."""
    if described is None:
        return current
    assert current.operator
    registry = current.operator.partition("/")[0]
    return replace(current, operator=push_layout(described, registry, f"described/{NAME}"))
