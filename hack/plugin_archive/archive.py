"""One archive: two small programs, the licence, and everything that they import.

It brings no interpreter: any supported Python is looked for when the plugin is run. What is the
same for all of them is in `lib/any`, modules in C and their packages in `lib/3.11` and so on.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from operator_image.part import write_layer
from operator_image.python import build_wheel
from operator_image.wheels import LINUX, unpack_wheels
from python_versions.find import supported

LOCK = "requirements-plugin.lock"
PROGRAM, COMPLETION = "kubectl-wfe", "kubectl_complete-wfe"
LAUNCHER = Path(__file__).with_name("launcher.sh")


@dataclass(frozen=True)
class Platform:
    """An operating system and architecture, as krew names them; `wheels` is uv's name of both."""

    os: str
    arch: str
    wheels: str

    @property
    def archive(self) -> str:
        """File name of its archive."""
        return f"{PROGRAM}-{self.os}-{self.arch}.tar.gz"


PLATFORMS = (
    *(Platform("linux", arch, wheels) for arch, wheels in LINUX.items()),
    Platform("darwin", "amd64", "x86_64-apple-darwin"),
    Platform("darwin", "arm64", "aarch64-apple-darwin"),
)


def write_archive(source: Path, platform: Platform, folder: Path) -> str:
    """Write the archive of a platform into a folder; the same sources give the same bytes.

    Returns its SHA-256 in hexadecimal. Raises ClusterError where a part cannot be had.
    """
    with tempfile.TemporaryDirectory() as scratch:
        tree, tar = Path(scratch, "tree"), Path(scratch, "archive.tar")
        tree.mkdir()
        _fill(source, platform, tree)
        write_layer(tree, tar)
        packed = gzip.compress(tar.read_bytes(), mtime=0)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / platform.archive).write_bytes(packed)
    return hashlib.sha256(packed).hexdigest()


def _fill(source: Path, platform: Platform, tree: Path) -> None:
    folders = [tree / "lib" / python for python in supported()]
    for folder in folders:
        unpack_wheels(source / LOCK, folder, python=folder.name, platform=platform.wheels)
    common = tree / "lib" / "any"
    common.mkdir()
    share(folders, common)
    _add_own(source, common)
    shutil.copy(source / "LICENSE", tree / "LICENSE")
    for program, function in ((PROGRAM, "main"), (COMPLETION, "complete")):
        script = tree / program
        script.write_text(LAUNCHER.read_text().replace("FUNCTION", function))
        script.chmod(0o755)


def share(folders: Sequence[Path], common: Path) -> None:
    """Move packages that are the same in all folders to a common one; none of them is split."""
    first, *others = folders
    for entry in sorted(first.iterdir()):
        copies = [folder / entry.name for folder in others]
        if all(_contents(copy) == _contents(entry) for copy in copies):
            entry.rename(common / entry.name)
            for copy in copies:
                shutil.rmtree(copy) if copy.is_dir() else copy.unlink()


def _contents(entry: Path) -> Mapping[str, bytes]:
    """The files of a package, or the one file, by path; nothing where it is not there."""
    files = [entry] if entry.is_file() else [path for path in entry.rglob("*") if path.is_file()]
    return {str(path.relative_to(entry)): path.read_bytes() for path in files}


def _add_own(source: Path, libraries: Path) -> None:
    with tempfile.TemporaryDirectory() as wheels:
        zipfile.ZipFile(build_wheel(source, Path(wheels))).extractall(libraries)
