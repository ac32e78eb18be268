"""`wfe bundle push` stores the same as Tekton's own `tkn bundle push`."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bundles.remedy import TEKTON
from localcluster.build import Builder
from localcluster.bundles import push_bundle
from localcluster.cluster import Cluster
from localcluster.programs import TKN
from workflowexecution.bundles.folder import read_bundle
from workflowexecution.bundles.packing import digest_of, render
from workflowexecution.bundles.registry import BundleRegistry

NAMES = sorted(path.parent.name for path in TEKTON.glob("*/workflow.yaml"))


@pytest.fixture(scope="session")
def tkn() -> Path:
    """Tekton's command line, built once."""
    builder = Builder()
    builder.build([TKN])
    return builder.path_of(TKN)


@pytest.mark.parametrize("name", NAMES)
def test_both_commands_store_the_same(
    tekton_cluster: Cluster, tkn: Path, tmp_path: Path, name: str
) -> None:
    registry = tekton_cluster.registry or ""
    objects = read_bundle(TEKTON / name).objects
    theirs = f"{registry}/by-tkn/{name}:1"
    command = [str(tkn), "bundle", "push", theirs, "-f", "-"]
    environment = {**os.environ, "HOME": str(tmp_path)}
    subprocess.run(
        command, input=render(objects), env=environment, check=True, capture_output=True, text=True
    )
    ours = push_bundle(registry, f"by-wfe/{name}", tag="1", objects=objects)

    assert _stored(theirs) == _stored(ours)


def _stored(reference: str) -> dict[str, Any]:
    """A manifest whose layers are named by their contents: the two compress differently."""
    registry = BundleRegistry(reference)
    manifest, _ = registry.manifest()
    for layer in manifest["layers"]:
        packed = registry.blob(layer.pop("digest"))
        assert layer.pop("size") == len(packed)
        layer["contents"] = digest_of(gzip.decompress(packed))
    manifest["config"]["contents"] = json.loads(registry.blob(manifest["config"]["digest"]))
    return manifest
