"""Parts of manifests/ in a cluster, put together by kustomize as users do it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from harness.kubectl import kubectl
from localcluster.cluster import Cluster, Object
from localcluster.overlays import overlay


@contextmanager
def applied(
    cluster: Cluster, components: Sequence[str], patches: Sequence[Object] = ()
) -> Iterator[None]:
    """Have what these components add in the cluster for the block."""
    with overlay(components=components, patches=patches) as folder:
        try:
            apply(cluster, folder)
            yield
        finally:
            kubectl(cluster, "delete", "-k", str(folder), "--ignore-not-found")


def apply(cluster: Cluster, folder: Path) -> None:
    """Apply a kustomization as the administrator."""
    done = kubectl(cluster, "apply", "--server-side", "--force-conflicts", "-k", str(folder))
    assert done.returncode == 0, done.stderr


def render(cluster: Cluster, folder: Path) -> list[Object]:
    """All objects of a kustomization."""
    done = kubectl(cluster, "kustomize", str(folder))
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))
