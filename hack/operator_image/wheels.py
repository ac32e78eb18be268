"""The wheels of a lock, unpacked for a Python and a platform that need not be those of here."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

from localcluster.errors import ClusterError

# Names of uv; the wheels run on each Linux with this glibc or a newer one.
LINUX = {"amd64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
OLDEST_MACOS = "12.0"


def unpack_wheels(lock: Path, target: Path, *, python: str, platform: str) -> None:
    """Unpack each wheel below `target`, checked by the lock's hash; nothing is compiled.

    The programs of the packages are left out, as they name the interpreter that runs here.
    Raises ClusterError where a wheel cannot be had.
    """
    how = ("--no-deps", "--require-hashes", "--only-binary=:all:", "--link-mode=copy")
    where = (f"--target={target}", f"--python-version={python}", f"--python-platform={platform}")
    uv("pip", "install", f"--python={sys.executable}", *how, *where, f"--requirement={lock}")
    shutil.rmtree(target / "bin", ignore_errors=True)
    (target / ".lock").unlink(missing_ok=True)
    tidy_records(target)


def tidy_records(target: Path) -> None:
    """Take out of the packages' lists of files what is not there."""
    for record in target.glob("*.dist-info/RECORD"):
        with record.open(newline="") as stream:
            kept = [row for row in csv.reader(stream) if (target / row[0]).exists()]
        with record.open("w", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows(sorted(kept))


def uv(*arguments: str) -> str:
    """Run uv of this environment; returns what it prints. Raises ClusterError."""
    program = Path(sys.executable).with_name("uv")
    done = subprocess.run(
        [program, "--quiet", *arguments],
        env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": OLDEST_MACOS},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        told = " ".join(arguments[:2])
        raise ClusterError(f"uv {told} failed", detail=done.stderr[-3000:])
    return done.stdout
