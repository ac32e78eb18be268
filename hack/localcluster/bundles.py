"""The project's bundles in a cluster's registry, read and packed as `wfe bundle` does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from localcluster.errors import ClusterError
from workflowexecution.bundles.folder import BundleError, read_bundle
from workflowexecution.bundles.packing import pack
from workflowexecution.bundles.registry import BundleRegistry, RegistryError


def load_bundle(folder: Path, images: Mapping[str, str]) -> list[dict[str, Any]]:
    """The objects of a bundle's folder; `images` maps a bare name (`toolbox`) to a reference.

    Raises ClusterError where it is no bundle, or a bare name has no reference.
    """
    try:
        return list(read_bundle(folder, images).objects)
    except BundleError as error:
        raise ClusterError(str(error)) from error


def push_bundle(
    registry: str, repository: str, *, tag: str = "latest", objects: Sequence[Mapping[str, Any]]
) -> str:
    """Push Tekton objects as a bundle to a registry on loopback.

    Returns the reference `host:port/repository:tag@sha256:…`. Raises ClusterError.
    """
    try:
        place = BundleRegistry(f"{registry}/{repository}:{tag}")
        return place.push(pack(dict(item) for item in objects))
    except RegistryError as error:
        raise ClusterError(str(error)) from error


def push_folder(registry: str, repository: str, folder: Path) -> str:
    """Push one of the project's bundles, whose steps run the cluster's own toolbox."""
    images = {"toolbox": f"{registry}/toolbox:latest"}
    return push_bundle(registry, repository, objects=load_bundle(folder, images))
