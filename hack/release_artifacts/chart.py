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

REPOSITORY_LINE = "  repository: workflowexecution-operator\n"


def write_chart(folder: Path, image: str, version: str) -> None:
    """Write `NAME-VERSION.tgz`; `image` without tag. Raises ClusterError where helm refuses it."""
    with TemporaryDirectory() as scratch:
        chart = Path(scratch) / "chart"
        shutil.copytree(MANIFESTS / "chart", chart)
        _name(chart / "values.yaml", image)
        versions = (f"--version={semantic(version)}", f"--app-version={image_tag(version)}")
        done = checkers.run(HELM, "package", str(chart), f"--destination={scratch}", *versions)
        if done.returncode:
            raise ClusterError("the chart cannot be packed", detail=done.stderr)
        (package,) = Path(scratch).glob("*.tgz")
        (folder / package.name).write_bytes(_without_times(package))


def _name(values: Path, image: str) -> None:
    text = values.read_text()
    if REPOSITORY_LINE not in text:
        raise ClusterError(f"{values.name} has no line {REPOSITORY_LINE.strip()!r} any more")
    values.write_text(text.replace(REPOSITORY_LINE, f"  repository: {image}\n"))


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
