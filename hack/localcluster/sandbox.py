"""Kernel namespaces of one cluster (Linux): when its first process ends, everything in them ends.

The kernel kills every process of a process-id namespace whose first process ends, unmounts a
mount namespace and removes a network namespace that nobody uses: nothing here needs cleaning.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18
MS_BIND = 1 << 12


def why_impossible() -> str:
    """The reason why a cluster cannot have namespaces of its own here; empty where it can."""
    if sys.platform != "linux":
        return "namespaces need Linux"
    if not shutil.which("ip"):
        return "the Debian package iproute2 is missing"
    if os.geteuid() == 0 or _may_be_root_in_a_namespace():
        return ""
    return "neither root nor unprivileged user namespaces"


def give_children_their_own() -> None:
    """Put the children of this process, not itself, into a new process-id namespace.

    The first child is that namespace's first process. Without root, this process also becomes
    root of a user namespace in which only its own user exists.
    """
    _unshare_as_root(CLONE_NEWPID)


def enter_mounts() -> None:
    """Give this process its own mounts; without root it becomes root of a user namespace.

    Raises OSError where not allowed.
    """
    _unshare_as_root(CLONE_NEWNS)
    mount("none", "/", "", MS_REC | MS_PRIVATE)


def enter(addresses: list[str]) -> None:
    """Give this process its own mounts and its own network: a loopback with `addresses` (CIDR).

    Sockets made before stay in the network they were made in. Raises OSError where not allowed.
    """
    unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC)
    mount("none", "/", "", MS_REC | MS_PRIVATE)
    # Where the machine is itself a container its /proc may be masked; the old one will do then.
    with contextlib.suppress(PermissionError):
        mount("proc", "/proc", "proc")
    _ip("link", "set", "lo", "up")
    for address in addresses:
        _ip("address", "add", address, "dev", "lo")


def mount(source: str, target: str | Path, kind: str, flags: int = 0, options: str = "") -> None:
    """Call mount of the kernel. Raises OSError (PermissionError where not allowed)."""
    arguments = [os.fsencode(text) for text in (source, target, kind)]
    if _libc().mount(*arguments, flags, options.encode() or None):
        _raise(f"mount {kind or 'flags'} at {target}")


def unshare(flags: int) -> None:
    """Call unshare of the kernel. Raises OSError."""
    if _libc().unshare(flags):
        _raise("unshare")


def _unshare_as_root(flags: int) -> None:
    """Leave namespaces; without root by way of a user namespace in which only our user exists."""
    if os.geteuid() == 0:
        unshare(flags)
        return
    user, group = os.geteuid(), os.getegid()
    unshare(CLONE_NEWUSER | flags)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _may_be_root_in_a_namespace() -> bool:
    flags = ["--user", "--map-root-user", "--net", "--mount", "--pid", "--fork"]
    with contextlib.suppress(OSError):
        return subprocess.run(["unshare", *flags, "true"], capture_output=True).returncode == 0
    return False


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _raise(what: str) -> None:
    number = ctypes.get_errno()
    raise OSError(number, f"{what}: {os.strerror(number)}")
