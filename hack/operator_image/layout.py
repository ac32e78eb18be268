"""OCI image layouts: an image as a folder, and its way into a registry."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from localcluster.oci import MANIFEST, TAR, Layer, as_json, descriptor, image_of, store_image
from workflowexecution.bundles.packing import digest_of

INDEX = "application/vnd.oci.image.index.v1+json"
TAG = "org.opencontainers.image.ref.name"


def write_layout(
    folder: Path, layers: Sequence[Path], run: Mapping[str, Any], tag: str, architecture: str
) -> None:
    """Write an image of these tars, lowest first, for an architecture such as `amd64`.

    `run` is the image configuration's `config`; its labels also become the manifest's annotations.
    """
    shutil.rmtree(folder, ignore_errors=True)
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    stored = [Layer(path, TAR, digest_of(path), {}) for path in layers]
    config, manifest = image_of(stored, run, run.get("Labels", {}), architecture)
    for path in layers:
        shutil.copyfile(path, blobs / _name(path))
    for content in (config, manifest):
        (blobs / _name(content)).write_bytes(content)
    entry = descriptor(manifest, MANIFEST) | {"annotations": {TAG: tag}}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
    (folder / "index.json").write_bytes(as_json(index))
    (folder / "oci-layout").write_bytes(as_json({"imageLayoutVersion": "1.0.0"}))


def push_layout(folder: Path, registry: str, repository: str) -> str:
    """Push a layout of one image to a registry that speaks plain HTTP, under its own tag.

    Returns the reference `host:port/repository:tag@sha256:…`.
    Raises ClusterError where the registry cannot be reached or refuses something.
    """
    (entry,) = json.loads((folder / "index.json").read_bytes())["manifests"]
    blobs = folder / "blobs/sha256"
    content = (blobs / entry["digest"].removeprefix("sha256:")).read_bytes()
    manifest = json.loads(content)
    named = (*manifest["layers"], manifest["config"])
    tag = entry["annotations"][TAG]
    return store_image(
        f"{registry}/{repository}:{tag}",
        [blobs / blob["digest"].removeprefix("sha256:") for blob in named],
        content,
    )


def _name(content: bytes | Path) -> str:
    return digest_of(content).removeprefix("sha256:")
