"""Tekton's processes of a local cluster: stopped for a while, or with a server beside them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localcluster import Cluster

_NAMESPACES = ("user", "net")


@contextmanager
def stopped(cluster: Cluster, name: str) -> Iterator[None]:
    """Have one of them, as `resolvers`, do nothing at all for the block."""
    process = _process_of(cluster, name)
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


@contextmanager
def server(cluster: Cluster, program: Path, *arguments: str) -> Iterator[str]:
    """Run a Python program in their network, which prints its port; yields its address there."""
    process = _process_of(cluster, "resolvers")
    command = [*_entering(process), sys.executable, str(program), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            yield f"127.0.0.1:{int(running.stdout.readline())}"
        finally:
            running.terminate()


def _process_of(cluster: Cluster, name: str) -> int:
    """Its process id, by the credentials that only it has."""
    mark = f"-kubeconfig={cluster.state / f'tekton-{name}.kubeconfig'}"
    listed = subprocess.run(["ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True)
    found = [line.split()[0] for line in listed.stdout.splitlines() if mark in line.split()]
    assert len(found) == 1, f"processes with {mark}: {found}"
    return int(found[0])


def _entering(process: int) -> list[str]:
    """The command that enters the namespaces of a process, where those are not ours as well."""
    others = [kind for kind in _NAMESPACES if _differs(process, kind)]
    if not others:
        return []
    return ["nsenter", f"--target={process}", "--preserve-credentials", *(f"--{n}" for n in others)]


def _differs(process: int, kind: str) -> bool:
    ours, theirs = Path(f"/proc/self/ns/{kind}"), Path(f"/proc/{process}/ns/{kind}")
    return ours.exists() and ours.readlink() != theirs.readlink()
