"""A situation's input on the way into the cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from localcluster import Cluster
from localcluster.bundles import push_bundle


def push_pipeline(cluster: Cluster, folder: Path, file: str = "pipeline.yaml") -> str:
    """Push the objects of a file beside a test as a bundle; returns its reference by digest."""
    registry = cluster.registry
    assert registry
    text = (folder / file).read_text().replace("SHELL_IMAGE", f"{registry}/shell:latest")
    name = f"field/{folder.name.replace('_', '-')}/{Path(file).stem}"
    return push_bundle(registry, name, objects=list(yaml.safe_load_all(text)))


def workflow(reference: str, name: str = "field") -> dict[str, Any]:
    """Fields of an execution that runs a bundle."""
    ref = {"workflowId": name, "version": "1", "containerImage": reference}
    return {"workflow": name, "workflowRef": ref}
