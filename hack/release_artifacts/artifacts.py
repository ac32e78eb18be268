"""The artifacts of a release, file by file, and their checksums."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from build_version import image_tag, version_of_checkout
from localcluster import checkers
from localcluster.errors import ClusterError
from localcluster.overlays import MANIFESTS, overlay
from localcluster.request import REPOSITORY
from operator_image.assemble import assemble
from operator_image.origin import working_tree
from release_artifacts.bundles import write_bundle
from release_artifacts.chart import write_chart

SUMS = "SHA256SUMS"
TEKTON = REPOSITORY / "tekton"
# What is applied on its own, beside an overlay.
ALONE = ("crd", "namespaces", "runner-in-namespace")


def make(folder: Path, image: str) -> str:
    """Fill `folder` again: wheel, source, manifests, chart, bundles, bill of materials, checksums.

    `image` is the operator's, without tag; manifests and chart name it by this checkout's version.
    Returns the text of SHA256SUMS. Raises ClusterError where something cannot be made.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    version = version_of_checkout()
    _python_packages(folder)
    _manifests(folder, f"{image}:{image_tag(version)}")
    write_chart(folder, image, version)
    for path in sorted(TEKTON.glob("*/workflow.yaml")):
        write_bundle(path.parent, folder)
    _bill_of_materials(folder)
    return _sums(folder)


def _python_packages(folder: Path) -> None:
    build = ["build", "--directory", str(folder), "--target", "sdist", "--target", "wheel"]
    command = [sys.executable, "-m", "hatchling", *build]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode:
        raise ClusterError("the Python packages cannot be built", detail=done.stderr)


def _manifests(folder: Path, image: str) -> None:
    """One file for each kustomization; those of an overlay are named after it."""
    parts = {"install": ".", **{name: name for name in ALONE}}
    for path in MANIFESTS.glob("overlays/**/kustomization.yaml"):
        overlay_name, *inner = path.parent.relative_to(MANIFESTS / "overlays").parts
        kind = inner[0] if inner else "install"
        parts[f"{kind}-{overlay_name}"] = str(path.parent.relative_to(MANIFESTS))
    for name, part in parts.items():
        with overlay(resources=[part], image=image) as place:
            (folder / f"{name}.yaml").write_text(checkers.rendered(place))


def _bill_of_materials(folder: Path) -> None:
    with TemporaryDirectory() as scratch:
        assemble(working_tree(), Path(scratch) / "image")
        shutil.copyfile(Path(scratch) / "image/sbom.cdx.json", folder / "sbom.cdx.json")


def _sums(folder: Path) -> str:
    """Write the checksums, in the form that `sha256sum --check` reads."""
    text = "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.iterdir())
    )
    (folder / SUMS).write_text(text)
    return text
