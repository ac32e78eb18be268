"""Programs that look at manifests and need no cluster; built when they are first asked for."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

from localcluster.build import Builder
from localcluster.errors import ClusterError
from localcluster.programs import KUBECTL, Program


def kustomized(folder: Path) -> list[Any]:
    """All objects of a kustomization. Raises ClusterError where it is none."""
    return list(yaml.safe_load_all(rendered(folder)))


def rendered(folder: Path) -> str:
    """A kustomization's objects as YAML. Raises ClusterError where it is none."""
    done = run(KUBECTL, "kustomize", str(folder))
    if done.returncode:
        raise ClusterError(f"{folder} cannot be rendered", detail=done.stderr)
    return done.stdout


def run(program: Program, *arguments: str, feed: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program; the caller looks at its exit status.

    Raises ClusterError where it cannot be built.
    """
    builder = Builder()
    builder.build([program])
    return subprocess.run(
        [builder.path_of(program), *arguments], input=feed, capture_output=True, text=True
    )
