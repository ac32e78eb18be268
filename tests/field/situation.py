"""A situation's input on the way into the cluster."""

from __future__ import annotations

import hashlib
import json
import urllib.request
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

_INDEX = "application/vnd.oci.image.index.v1+json"
_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"


def push_pipeline(cluster: Cluster, folder: Path, file: str = "pipeline.yaml") -> str:
    """Push the objects of a file beside a test as a bundle; returns its reference by digest."""
    registry = cluster.registry
    assert registry
    text = (folder / file).read_text().replace("SHELL_IMAGE", f"{registry}/shell:latest")
    name = f"field/{folder.name.replace('_', '-')}/{Path(file).stem}"
    return push_bundle(registry, name, objects=list(yaml.safe_load_all(text)))


def index_of(image: str, architecture: str = "amd64") -> str:
    """Push an index that names a pushed image, for one architecture; its reference by digest."""
    where, digest = image.split("@")
    host, _, path = where.rpartition(":")[0].partition("/")
    manifests = f"http://{host}/v2/{path}/manifests"
    ask = urllib.request.Request(f"{manifests}/{digest}", headers={"Accept": _IMAGE})
    with urllib.request.urlopen(ask) as answer:
        size = len(answer.read())
    entry = {
        "mediaType": _IMAGE,
        "digest": digest,
        "size": size,
        "platform": {"os": "linux", "architecture": architecture},
    }
    body = json.dumps({"schemaVersion": 2, "mediaType": _INDEX, "manifests": [entry]}).encode()
    put = urllib.request.Request(
        f"{manifests}/index-{architecture}",
        data=body,
        method="PUT",
        headers={"Content-Type": _INDEX},
    )
    with urllib.request.urlopen(put):
        return f"{host}/{path}@sha256:{hashlib.sha256(body).hexdigest()}"


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
