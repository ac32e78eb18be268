"""Parts of manifests/ that are chosen, as one kustomization."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from localcluster.cluster import Object
from localcluster.request import REPOSITORY

MANIFESTS = REPOSITORY / "manifests"


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


def _operator(image: str) -> Object:
    """An image as kustomize wants it told."""
    tagged, _, digest = image.partition("@")
    name, _, tag = tagged.rpartition(":")
    exactly = {"digest": digest} if digest else {"newTag": tag}
    return {"name": "workflowexecution-operator", "newName": name, **exactly}


def _from(place: Path, part: str) -> str:
    """A part of manifests/ as kustomize wants it named: relative to the kustomization."""
    return os.path.relpath(MANIFESTS / part, place)
