"""Reads the Tekton objects of a bundle's folder and gives their steps real images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from localcluster.errors import ClusterError

MAXIMUM_OBJECTS = 20
"""Tekton's resolver refuses a bundle with more layers."""


def load_bundle(folder: Path, images: Mapping[str, str]) -> list[dict[str, Any]]:
    """The objects in the folder's YAML files, in the order of file names.

    `images` maps a logical image name (`kubectl`) to a reference (`host:port/kubectl@sha256:…`).
    A step whose image is a bare name, without `/`, `:` or `@`, gets the reference of that name.

    Raises:
        ClusterError: no such folder, not YAML, no Pipeline named `workflow`, an object twice,
            more objects than a bundle holds, or a bare image name that `images` lacks.
    """
    objects = [item for path in sorted(folder.glob("*.yaml")) for item in _documents(path)]
    names = [(str(item.get("kind")), item.get("metadata", {}).get("name")) for item in objects]
    if ("Pipeline", "workflow") not in names:
        raise ClusterError(f"{folder} is no bundle: it has no Pipeline named workflow")
    if len(set(names)) < len(names):
        raise ClusterError(f"{folder} has two objects of one kind and name")
    if len(objects) > MAXIMUM_OBJECTS:
        raise ClusterError(f"{folder} has {len(objects)} objects; Tekton takes {MAXIMUM_OBJECTS}")
    for container in (each for item in objects for each in _containers(item)):
        container["image"] = _reference(container["image"], images, folder)
    return objects


def _documents(path: Path) -> list[dict[str, Any]]:
    try:
        documents = list(yaml.safe_load_all(path.read_text()))
    except yaml.YAMLError as error:
        raise ClusterError(f"{path} is not YAML", detail=str(error)) from error
    if not all(isinstance(document, dict) for document in documents):
        raise ClusterError(f"{path} holds something that is not an object")
    return documents


def _containers(value: Any) -> Iterator[dict[str, Any]]:
    """Every step, sidecar and step template with an image, wherever a task is written out."""
    if isinstance(value, list):
        for item in value:
            yield from _containers(item)
    elif isinstance(value, dict):
        if isinstance(value.get("image"), str):
            yield value
        for item in value.values():
            yield from _containers(item)


def _reference(image: str, images: Mapping[str, str], folder: Path) -> str:
    if any(mark in image for mark in "/:@$"):
        return image
    if image not in images:
        known = ", ".join(sorted(images)) or "none"
        raise ClusterError(f"{folder} needs the image {image}; images given: {known}")
    return images[image]
