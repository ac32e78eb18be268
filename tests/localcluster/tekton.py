"""Tekton outside a cluster: its manifests made fit for that, its processes, their environment."""

from __future__ import annotations

from pathlib import Path

from localcluster import objects
from localcluster.cluster import Object


def crds(config: Path, *, converting: bool) -> list[Object]:
    """Tekton's custom resource definitions.

    Without `converting` they do not name Tekton's webhook, so that they work where none runs.
    """
    found = objects.read_folder(config / "300-crds")
    for crd in found:
        if not converting:
            crd["spec"]["conversion"] = {"strategy": "None"}
    return found
