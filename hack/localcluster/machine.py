"""The abilities of this machine: the tier it allows, the Debian packages it lacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from localcluster.errors import ClusterError
from localcluster.programs import Tier
from localcluster.progress import console

RUNC = Path("/usr/sbin/runc")
CNI_PLUGINS = Path("/usr/lib/cni")
BUSYBOX = Path("/bin/busybox")
# Debian packages of the node tier, each with a file that it brings.
PACKAGES = {
    "runc": RUNC,
    "containernetworking-plugins": CNI_PLUGINS / "ptp",
    "busybox-static": BUSYBOX,
    "iproute2": Path("/usr/sbin/ip"),
}

# Packages that single tests need beside, each with a file below /usr that it brings; without them
# those tests are left out.
FAKETIME = "lib/*/faketime/libfaketimeMT.so.1"
TEST_PACKAGES = {
    "libfaketime": FAKETIME,
    "buildah": "bin/buildah",
    "debootstrap": "sbin/debootstrap",
}


def best_tier(wanted: Tier) -> Tier:
    """The tier to run where `wanted` is asked for: `kwok` stands in for an impossible `node`.

    Raises ClusterError where a node is possible but for missing packages.
    """
    if wanted is not Tier.NODE:
        return wanted
    if reason := why_no_node():
        console.print(f"[yellow]no real node: {reason}; kwok plays the node instead[/]")
        return Tier.KWOK
    if lacking := missing_packages():
        raise ClusterError(
            f"tier node needs the Debian packages {' '.join(lacking)}",
            hint="`python -m localcluster install-packages` installs them; without them the tiers "
            "api and tekton work, and WFE_FORCE_KWOK=1 has kwok play the node",
        )
    return wanted


def tier_to_test(wanted: Tier) -> Tier:
    """The tier to run where any will do: kwok plays the node also where packages are missing."""
    try:
        return best_tier(wanted)
    except ClusterError as error:
        console.print(f"[yellow]{error.message}; kwok plays the node instead[/]")
        return Tier.KWOK


def why_no_node() -> str:
    """The reason why containers cannot run here; empty where they can."""
    if os.environ.get("WFE_FORCE_KWOK") == "1":
        return "WFE_FORCE_KWOK=1"
    if sys.platform != "linux":
        return f"containers need Linux, this is {sys.platform}"
    if os.geteuid() != 0:
        return "containers need root"
    return ""


def faketime() -> Path | None:
    """The library that has a process live by another clock; None where it is not installed."""
    return next(Path("/usr").glob(FAKETIME), None)


def missing_packages() -> list[str]:
    """Debian packages of the node tier that are not installed."""
    return [name for name, proof in PACKAGES.items() if not proof.exists()]


def missing_test_packages() -> list[str]:
    """Debian packages of single tests that are not installed."""
    usr = Path("/usr")
    return [name for name, proof in TEST_PACKAGES.items() if not next(usr.glob(proof), None)]


def install_packages(*, with_tests: bool) -> None:
    """Install what is missing, where this is Debian and we are root; elsewhere name it.

    Raises ClusterError if the installation fails.
    """
    lacking = missing_packages() + (missing_test_packages() if with_tests else [])
    if not lacking:
        return
    is_debian = Path("/usr/bin/apt-get").exists()
    if not is_debian or os.geteuid() != 0:
        console.print(
            f"[yellow]not installed: {' '.join(lacking)}[/]; only tier node and single tests need "
            "them, and where there is no root kwok plays the node; the tiers api and tekton work "
            "without"
        )
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *lacking]):
        done = subprocess.run(["apt-get", *arguments], env=quiet, capture_output=True, text=True)
        if done.returncode:
            raise ClusterError(f"apt-get {arguments[0]} failed", detail=done.stderr[-3000:])
    console.print(f"installed {' '.join(lacking)}")
