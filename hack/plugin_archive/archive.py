"""One archive: two small programs, the licence, and everything that they import.

It brings no interpreter: Python 3.11 is looked for when the plugin is run.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from localcluster.errors import ClusterError
from operator_image.part import write_layer

LOCK = "requirements-plugin.lock"
PROGRAM, COMPLETION = "kubectl-wfe", "kubectl_complete-wfe"
LAUNCHER = Path(__file__).with_name("launcher.sh")


@dataclass(frozen=True)
class Platform:
    """An operating system and architecture, as krew names them; `tags` are those of its wheels."""

    os: str
    arch: str
    tags: tuple[str, ...]

    @property
    def archive(self) -> str:
        """File name of its archive."""
        return f"{PROGRAM}-{self.os}-{self.arch}.tar.gz"


def _linux(arch: str, machine: str) -> Platform:
    tags = (f"manylinux_2_28_{machine}", f"manylinux2014_{machine}", f"manylinux_2_5_{machine}")
    return Platform("linux", arch, (*tags, f"manylinux1_{machine}"))


PLATFORMS = (
    _linux("amd64", "x86_64"),
    _linux("arm64", "aarch64"),
    Platform("darwin", "amd64", ("macosx_12_0_x86_64",)),
    Platform("darwin", "arm64", ("macosx_12_0_arm64",)),
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
    libraries = tree / "lib"
    tags = [f"--platform={tag}" for tag in platform.tags]
    how = ("--no-deps", "--no-compile", "--require-hashes", "--only-binary=:all:")
    where = (f"--target={libraries}", "--python-version=3.11", "--implementation=cp", *tags)
    _pip("install", *how, *where, f"--requirement={source / LOCK}")
    # These begin with the path of the interpreter that runs here.
    shutil.rmtree(libraries / "bin", ignore_errors=True)
    _add_own(source, libraries)
    shutil.copy(source / "LICENSE", tree / "LICENSE")
    for program, function in ((PROGRAM, "main"), (COMPLETION, "complete")):
        script = tree / program
        script.write_text(LAUNCHER.read_text().replace("FUNCTION", function))
        script.chmod(0o755)


def _add_own(source: Path, libraries: Path) -> None:
    with tempfile.TemporaryDirectory() as wheels:
        _pip("wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={wheels}", str(source))
        (wheel,) = Path(wheels).glob("*.whl")
        zipfile.ZipFile(wheel).extractall(libraries)


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ClusterError(f"pip {arguments[0]} failed", detail=done.stderr[-3000:])
