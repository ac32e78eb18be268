"""A situation's input on the way into the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from harness import rights
from harness.node import secure
from harness.world import World, open_world
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


@contextmanager
def open_node_world(cluster: Cluster, shop: str, *flags: str) -> Iterator[World]:
    """A world on the real node whose operator has settings of its own."""
    rights.install(cluster)
    with open_world(cluster, "--cooldown=0s", "--progress-interval=1s", *flags) as world:
        rights.let_run(cluster, world.execution_namespace, shop)
        secure(cluster, world.execution_namespace)
        yield world
