"""Workflows of this repository, and something that they remediate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from e2e.workload import create_workload
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


@pytest.fixture
def deployment(node_cluster: Cluster, shop: str) -> str:
    """Target text of a Deployment with one running pod."""
    return create_workload(node_cluster, shop)
