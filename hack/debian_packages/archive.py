"""A Debian release's packages, from the mirror that this machine takes its own packages from.

apt resolves and downloads them, and checks their signatures, with package lists apart from the
machine's. No maintainer script runs.
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from localcluster.errors import ClusterError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
INSTALLS = re.compile(r"^Inst (\S+) \((\S+) ", re.MULTILINE)
PARTS = ("", "-updates", "-security")
LISTS_AGE_S = 24 * 3600
HINT = "where there is a builder, `docker build -f operator/Dockerfile .` makes the image"


@dataclass(frozen=True)
class Archive:
    """The packages `wanted` of one release and all that they depend on.

    `architecture` is Debian's name of it. Lists and packages are kept in `state`.
    """

    state: Path
    release: str
    architecture: str
    wanted: tuple[str, ...]

    def resolve(self) -> list[str]:
        """The packages that are needed, as `name version`, whether they are downloaded or not.

        Raises ClusterError where this machine cannot tell.
        """
        self._refresh()
        printed = self._apt("install", "--simulate", "-qq", *self.wanted)
        return sorted(f"{name} {version}" for name, version in INSTALLS.findall(printed))

    def download(self) -> list[Path]:
        """Download the packages, checked by apt, and return their files."""
        self._apt("install", "--download-only", "--yes", "-qq", *self.wanted)
        return sorted((self.state / "cache/archives").glob("*.deb"))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have other processes wait for the block: apt itself gives up where another one works."""
        self.state.mkdir(parents=True, exist_ok=True)
        with (self.state / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _refresh(self) -> None:
        stamp = self.state / "refreshed"
        if stamp.exists() and time.time() - stamp.stat().st_mtime < LISTS_AGE_S:
            return
        for folder in ("state/lists/partial", "cache/archives/partial"):
            (self.state / folder).mkdir(parents=True, exist_ok=True)
        (self.state / "state/status").touch()
        (self.state / "sources.list").write_text(sources(self.release))
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
            "Dir::Etc::sourcelist": self.state / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "APT::Architecture": self.architecture,
            "APT::Architectures": self.architecture,
            "APT::Install-Recommends": "false",
            "Acquire::Languages": "none",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
            "Acquire::IndexTargets::deb::CNF::DefaultEnabled": "false",
            "APT::Sandbox::User": "root",
        }
        flags = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return run("apt-get", *flags, *arguments)


def unpack(package: Path, tree: Path) -> dict[str, str]:
    """Unpack one package below a folder; returns the fields of its control file."""
    run("dpkg-deb", "--extract", str(package), str(tree))
    control = run("dpkg-deb", "--field", str(package))
    return dict(line.split(": ", 1) for line in control.splitlines() if ": " in line)


def run(*command: str) -> str:
    """Run a program and return its output. Raises ClusterError where it fails."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise ClusterError(f"{command[0]} {command[-1]} failed", detail=done.stderr[-3000:])
    return done.stdout


def is_debian() -> bool:
    """Whether this machine is one that Debian's packages can be unpacked on."""
    return bool(_codename())


def mirrors(release: str) -> list[tuple[str, str]]:
    """Address and suite of each archive that this machine has for its own release, for another one.

    Raises ClusterError where this machine is no Debian.
    """
    here = _codename()
    if not here:
        raise ClusterError("Debian's packages can be unpacked on Debian only", hint=HINT)
    asked = ("indextargets", "--format", "$(REPO_URI) $(RELEASE)")
    told = run("apt-get", *asked, "Created-By: Packages", "Component: main").splitlines()
    found = [line.split() for line in sorted(set(told))]
    # Archives of others may have suites of the same name.
    suites = [
        (place, suite.replace(here, release, 1))
        for place, suite in found
        if suite in {here + part for part in PARTS} and "/debian" in urlsplit(place).path
    ]
    if not suites:
        raise ClusterError("apt's sources on this machine name no archive of Debian", hint=HINT)
    return suites


def sources(release: str) -> str:
    """The text of a sources.list for a release. Raises ClusterError as `mirrors` does."""
    return "".join(
        f"deb [signed-by={KEYRING}] {place} {suite} main\n" for place, suite in mirrors(release)
    )


def _codename() -> str:
    """The code name of the Debian release that this machine runs; empty where it runs none."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return ""
    if release.get("ID") != "debian" or not shutil.which("apt-get"):
        return ""
    return release.get("VERSION_CODENAME", "")
