"""A world on the real node with a status page, what there is to see in it, and a browser."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from harness import rights
from harness.executions import unique
from harness.node import secure
from harness.page_scene import EVIL, LISTS, READS_RUNS
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.bundles import push_folder
from page_browser import chromium
from page_browser.places import ROOT

SHOP = "shop/Deployment/{}"


@dataclass(frozen=True)
class Sight:
    """The objects on the page, by the names of the executions; and a token that may see them."""

    world: World
    bundles: Mapping[str, str]
    token: str

    @property
    def url(self) -> str:
        """The address of the page."""
        return self.world.operator.page_url

    def create(self, name: str, workflow: str, target: str, seconds: int = 2) -> None:
        """Create an execution of a workflow of this repository, or of one with any other id."""
        bundle = self.bundles.get(workflow, self.bundles["wait"])
        ref = {"workflowId": workflow, "version": "1.0.0", "containerImage": bundle}
        fields = {"parameters": {"SECONDS": str(seconds)}} if bundle == self.bundles["wait"] else {}
        self.world.create(SHOP.format(target), name=name, workflowRef=ref, **fields)

    def until(self, name: str, phase: str) -> None:
        """Wait until an execution is in a phase."""
        self.world.in_phase(
            {"metadata": {"name": name, "namespace": self.world.source}}, phase, 120
        )


@pytest.fixture(scope="session")
def sight(node_cluster: Cluster) -> Iterator[Sight]:
    """One of everything: running, completed, failed, skipped for a lock and for a cooldown."""
    rights.install(node_cluster)
    rights.let_review(node_cluster)
    registry = node_cluster.registry
    assert registry
    bundles = {
        name: push_folder(registry, f"page/{name}", ROOT / "tekton" / name)
        for name in ("wait", "always-fails")
    }
    with open_world(node_cluster, "--page=cluster", "--page-port=0") as world:
        rights.let_run(node_cluster, world.execution_namespace, world.source)
        secure(node_cluster, world.execution_namespace)
        rules = {world.source: [LISTS], world.execution_namespace: [READS_RUNS]}
        token = rights.as_account(node_cluster, world.source, unique("reader"), rules).token
        seen = Sight(world, bundles, token)
        seen.create("restart-cart", "wait", "cart")
        seen.create("repair-search", "always-fails", "search")
        seen.until("restart-cart", "Completed")
        seen.create("restart-cart-again", "wait", "cart")
        seen.until("restart-cart-again", "Skipped")
        seen.create("drain-payment", "wait", "payment-api", seconds=3600)
        seen.until("drain-payment", "Running")
        seen.create("scale-payment", EVIL, "payment-api")
        seen.until("scale-payment", "Skipped")
        seen.until("repair-search", "Failed")
        yield seen


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests."""
    with chromium.running() as started:
        yield started


@pytest.fixture(scope="session")
def captures() -> Path:
    """The folder of the screenshots: in the docs where that is asked for."""
    folder = Path(os.environ.get("WFE_CAPTURES") or ROOT / "build/page")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
