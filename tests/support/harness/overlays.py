"""Parts of manifests/ that are chosen, put together by kustomize as users do it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from harness.kubectl import kubectl
from harness.rights import MANIFESTS
from localcluster.cluster import Cluster, Object


@contextmanager
def overlay(
    *,
    resources: Sequence[str] = (),
    components: Sequence[str] = (),
    patches: Sequence[Object] = (),
    image: str = "",
) -> Iterator[Path]:
    """A folder with a kustomization of these parts of manifests/, and its `patches`.

    `image` is the operator's, `host:port/name:tag`, which a digest `@sha256:…` may follow and then
    wins; empty for the one that is shipped.
    """
    with TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        body = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [_from(place, part) for part in resources],
            "components": [_from(place, f"components/{part}") for part in components],
            "patches": list(patches),
            "images": [_operator(image)] if image else [],
        }
        (place / "kustomization.yaml").write_text(yaml.safe_dump(body))
        yield place


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


def _operator(image: str) -> Object:
    """An image as kustomize wants it told."""
    tagged, _, digest = image.partition("@")
    name, _, tag = tagged.rpartition(":")
    exactly = {"digest": digest} if digest else {"newTag": tag}
    return {"name": "workflowexecution-operator", "newName": name, **exactly}


def _from(place: Path, part: str) -> str:
    """A part of manifests/ as kustomize wants it named: relative to the kustomization."""
    return os.path.relpath(MANIFESTS / part, place)
