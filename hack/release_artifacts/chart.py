"""The Helm chart as a package, with this version and the image that goes with it."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from build_version import image_tag, semantic
from localcluster import checkers
from localcluster.errors import ClusterError
from localcluster.oci import File, write_tar
from localcluster.overlays import MANIFESTS
from localcluster.programs import HELM

# By file of the chart, the line that names the image, and how a release writes it.
NAMED = {
    "values.yaml": (
        "  repository: workflowexecution-operator\n",
        "  repository: {image}\n",
    ),
    "Chart.yaml": (
        "      image: workflowexecution-operator:0.0.0\n",
        "      image: {image}:{tag}\n",
    ),
}


def write_chart(folder: Path, image: str, version: str) -> None:
    """Write `NAME-VERSION.tgz`; `image` without tag. Raises ClusterError where helm refuses it."""
    with TemporaryDirectory() as scratch:
        chart = Path(scratch) / "chart"
        shutil.copytree(MANIFESTS / "chart", chart)
        _name(chart, image, image_tag(version))
        versions = (f"--version={semantic(version)}", f"--app-version={image_tag(version)}")
        done = checkers.run(HELM, "package", str(chart), f"--destination={scratch}", *versions)
        if done.returncode:
            raise ClusterError("the chart cannot be packed", detail=done.stderr)
        (package,) = Path(scratch).glob("*.tgz")
        (folder / package.name).write_bytes(_without_times(package))


def _name(chart: Path, image: str, tag: str) -> None:
    for name, (line, named) in NAMED.items():
        text = (chart / name).read_text()
        if line not in text:
            raise ClusterError(f"{name} has no line {line.strip()!r} any more")
        (chart / name).write_text(text.replace(line, named.format(image=image, tag=tag)))


def _without_times(package: Path) -> bytes:
    """The same archive with names in order and no times: helm writes that of packing."""
    with tarfile.open(package) as archive:
        files = {f"/{name}": File(_content(archive, name)) for name in archive.getnames()}
    packed = io.BytesIO()
    write_tar(packed, files, {}, {})
    return gzip.compress(packed.getvalue(), mtime=0)


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(name)
    assert stream is not None
    return stream.read()
