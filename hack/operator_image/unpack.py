"""The image's tree on this machine, where no container runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from operator_image.assemble import assemble
from operator_image.origin import Origin
from operator_image.part import extract


def unpack(origin: Origin, folder: Path) -> Path:
    """Assemble the image of this origin and unpack it below `folder`; the root of its tree.

    Raises ClusterError where a part of it cannot be had.
    """
    image, tree = folder / "image", folder / "tree"
    assemble(origin, image)
    unpack_layout(image, tree)
    return tree


def unpack_layout(image: Path, tree: Path) -> dict[str, Any]:
    """Unpack the layers of the one image in an OCI layout; returns its configuration."""
    (entry,) = json.loads((image / "index.json").read_text())["manifests"]
    manifest = read_blob(image, entry["digest"])
    for layer in manifest["layers"]:
        with _path(image, layer["digest"]).open("rb") as stream:
            extract(stream, tree)
    return read_blob(image, manifest["config"]["digest"])


def read_blob(image: Path, digest: str) -> dict[str, Any]:
    """A manifest or configuration of an OCI layout."""
    found: dict[str, Any] = json.loads(_path(image, digest).read_text())
    return found


def _path(image: Path, digest: str) -> Path:
    return image / "blobs/sha256" / digest.removeprefix("sha256:")
