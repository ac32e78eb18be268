"""The image's base: the interpreter and what it needs, from the machine's Debian archive.

apt resolves and downloads the packages, and checks their signatures; nothing is installed on the
machine, and no maintainer script runs. There is no shell and no package manager in the result.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localcluster.errors import ClusterError
from operator_image.bytecode import compile_all
from operator_image.part import Component, Part, cached

RELEASE = "bookworm"
WANTED = ("base-files", "python3.11-minimal", "libpython3.11-stdlib", "libgcc-s1")
# Only maintainer scripts need these.
LEFT_OUT = {"dpkg", "tar", "mawk", "libacl1", "libmd0", "libselinux1", "libpcre2-8-0", "libzstd1"}
NOT_KEPT = ("usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/lintian")
USER = 65532
ACCOUNTS = {
    "etc/passwd": f"root:x:0:0:root:/:/sbin/nologin\nwfe:x:{USER}:{USER}:wfe:/tmp:/sbin/nologin\n",
    "etc/group": f"root:x:0:\nwfe:x:{USER}:\n",
}
LISTS_AGE_S = 24 * 3600
HINT = "where there is a builder, `docker build -f operator/Dockerfile .` makes the same image"


@dataclass(frozen=True)
class Archive:
    """The machine's Debian archive, with package lists of its own in `state`."""

    state: Path

    def resolve(self) -> list[str]:
        """Names of the package files that the base consists of, with their versions.

        Raises ClusterError where this machine cannot tell.
        """
        self._refresh()
        printed = self._apt("install", "--print-uris", "-qq", *WANTED)
        return sorted(line.split()[1] for line in printed.splitlines() if line.startswith("'"))

    def download(self) -> list[Path]:
        """Download the packages, checked by apt, and return their files."""
        self._apt("install", "--download-only", "--yes", "-qq", *WANTED)
        return sorted((self.state / "cache/archives").glob("*.deb"))

    def _refresh(self) -> None:
        stamp = self.state / "refreshed"
        if stamp.exists() and time.time() - stamp.stat().st_mtime < LISTS_AGE_S:
            return
        for folder in ("state/lists/partial", "cache/archives/partial"):
            (self.state / folder).mkdir(parents=True, exist_ok=True)
        (self.state / "state/status").touch()
        try:
            self._apt("update", "-qq", "-o", "APT::Update::Error-Mode=any")
        except ClusterError:
            # Without a network, the lists of another day will do.
            if stamp.exists():
                return
            raise
        # What was downloaded by older lists is not what they name now.
        for package in (self.state / "cache/archives").glob("*.deb"):
            package.unlink()
        stamp.touch()

    def _apt(self, *arguments: str) -> str:
        # With an empty status file, apt ignores what this machine has installed.
        options = {
            "Dir::State": self.state / "state",
            "Dir::State::status": self.state / "state/status",
            "Dir::Cache": self.state / "cache",
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "root",
        }
        flags = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return _run("apt-get", *flags, *arguments)


def base(cache: Path) -> Part:
    """The Debian part of the image, of the newest packages that the archive has.

    Raises ClusterError where this machine is not the Debian release that the image is based on.
    """
    _must_be_debian()
    archive = Archive(cache / f"apt-{RELEASE}")
    with _alone(archive.state):
        packages = archive.resolve()
        ingredients = [*packages, *ACCOUNTS.values(), *sorted(LEFT_OUT), *NOT_KEPT]
        return cached(cache, "base", ingredients, lambda tree: _fill(tree, archive.download()))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Have other processes wait for the block: apt itself gives up where another one works."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fill(tree: Path, packages: Sequence[Path]) -> list[Component]:
    kept = [path for path in packages if path.name.split("_")[0] not in LEFT_OUT]
    components = [_unpack(path, tree) for path in kept]
    for folder in NOT_KEPT:
        shutil.rmtree(tree / folder, ignore_errors=True)
    for name, text in ACCOUNTS.items():
        (tree / name).write_text(text)
    compile_all(tree / "usr/lib/python3.11", tree)
    return components


def _unpack(package: Path, tree: Path) -> Component:
    """Unpack one package, and tell scanners of it in the way of images without dpkg."""
    _run("dpkg-deb", "--extract", str(package), str(tree))
    control = _run("dpkg-deb", "--field", str(package))
    fields = dict(line.split(": ", 1) for line in control.splitlines() if ": " in line)
    records = tree / "var/lib/dpkg/status.d"
    records.mkdir(parents=True, exist_ok=True)
    (records / fields["Package"]).write_text(f"{control.strip()}\nStatus: install ok installed\n")
    return Component("deb", fields["Package"], fields["Version"])


def _must_be_debian() -> None:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    if release.get("VERSION_CODENAME") != RELEASE or not shutil.which("apt-get"):
        here = release.get("PRETTY_NAME", platform.system())
        raise ClusterError(f"the image is put together on Debian {RELEASE}, not {here}", hint=HINT)


def _run(*command: str) -> str:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise ClusterError(f"{command[0]} {command[-1]} failed", detail=done.stderr[-3000:])
    return done.stdout
