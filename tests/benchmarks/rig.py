"""The ground on which a workload is played: a cluster, namespaces, the operator as a process."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks import processes
from benchmarks.etcd import Etcd
from benchmarks.probe import probed
from benchmarks.shipped import Shipped
from benchmarks.worker import Worker, working
from harness import rights
from harness.account_files import PLACE, AccountFiles, in_pod
from harness.executions import unique
from harness.objects import create_namespace
from harness.process import OperatorProcess
from localcluster.cluster import Cluster
from operator_image.origin import working_tree
from operator_image.unpack import unpack

READY_S = 600.0
# Each look costs the operator an answer.
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Ground:
    """A namespace for executions and one for runs, which no other workload uses."""

    source: str
    runs: str

    def namespace_of(self, plural: str) -> str:
        """The namespace of the objects of a kind."""
        return self.source if plural == "workflowexecutions" else self.runs


class Operator:
    """An operator that serves one ground alone."""

    def __init__(self, process: OperatorProcess, pauses: Path, profile: Path | None) -> None:
        self._process = process
        self._pauses = pauses
        self._profile = profile
        self._profiler: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it; seconds until it says that it is ready."""
        began = time.monotonic()
        self._process.start(wait=False)
        while self._process.ask("/readyz")[0] != 200:
            assert self._process.is_running, self._process.log_tail()
            assert time.monotonic() < began + READY_S, self._process.log_tail()
            time.sleep(POLL_S)
        seconds = time.monotonic() - began
        if self._profile is not None:
            # Not before: the process becomes another program first, whose stacks are elsewhere.
            self._profiler = _record(self._process.pid, self._profile)
        return seconds

    def usage(self) -> processes.Usage:
        """The use of its process so far."""
        return processes.usage(self._process.pid)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def metric(self, series: str) -> float:
        """Value of one of its series."""
        return self._process.metric(series)

    def probes_port(self) -> int:
        """Port of /healthz."""
        first = next(line for line in self._process.log_lines() if "probes_port" in line)
        return int(first["probes_port"])

    def kill(self) -> None:
        """End it without warning."""
        self._process.kill()

    def pauses(self) -> dict[str, float]:
        """After its end: how long garbage collection has stopped it."""
        told: dict[str, float] = {}
        if self._pauses.exists():
            told = json.loads(self._pauses.read_text())
        return told

    def pause_values(self) -> dict[str, float]:
        """The same, as numbers of a result."""
        told = self.pauses()
        return {
            "gc_longest_ms": told.get("longest_s", math.nan) * 1000,
            "gc_cpu_s": told.get("cpu_s", math.nan),
            "gc_count": told.get("count", math.nan),
        }

    def close(self) -> None:
        """Stop it as kubelet does; it must not have complained."""
        if self._process.is_running:
            self._process.stop()

    def abandon(self) -> None:
        """End it in any way."""
        if self._process.is_running:
            self._process.kill()
        if self._profiler is not None:
            self._profiler.wait()


class Rig:
    """One cluster without Tekton's controllers, and what is measured on it.

    With a folder for `profiles`, each operator's stacks are sampled into a file of it, in the
    folded form that flame graphs are drawn from.
    """

    def __init__(self, cluster: Cluster, folder: Path, profiles: Path | None = None) -> None:
        self.cluster = cluster
        self.folder = folder
        self._profiles = profiles
        rights.install(cluster)
        self.etcd = Etcd(cluster)
        self._port = urlsplit(cluster.server).port or 443
        account = folder / "account"
        self._account = AccountFiles(account, *self._credentials())
        self._shipped = Shipped(unpack(working_tree(), folder), account, folder)
        self._server_pids = [
            processes.find("etcd", f"--data-dir={cluster.state}"),
            processes.find("kube-apiserver", f"{cluster.state}/"),
        ]

    @property
    def access(self) -> dict[str, str]:
        """The access of roles to the API server, in the image's tree."""
        cluster = self.cluster
        return {"server": cluster.server, "token": cluster.token, "ca": str(PLACE / "ca.crt")}

    def ground(self) -> Ground:
        """Two fresh namespaces; they stay until the cluster ends, so that nothing is deleted."""
        found = Ground(unique("source"), unique("runs"))
        for namespace in (found.source, found.runs):
            create_namespace(self.cluster, namespace)
        rights.extend_to(self.cluster, found.runs)
        return found

    @property
    def a_process(self) -> int:
        """Some process, for a meter that is not asked for CPU time."""
        return os.getpid()

    def order(self, ground: Ground, **what: Any) -> dict[str, Any]:
        """The order that a role gets."""
        return {"server": self.access, "source": ground.source, "runs": ground.runs, **what}

    def working(self, role: str, order: dict[str, Any]) -> AbstractContextManager[Worker]:
        """A role that has ended when the block has, well or not."""
        return working(self._shipped.role(role), role, order)

    @contextmanager
    def operator(self, ground: Ground, *flags: str, started: bool = True) -> Iterator[Operator]:
        """An operator for this ground, stopped with the block."""
        name = unique("operator")
        # A series takes longer than a token lasts.
        self._account.replace(*self._credentials())
        where = [
            f"--execution-namespace={ground.runs}",
            f"--lease-namespace={ground.runs}",
            f"--watch-namespaces={ground.source}",
        ]
        pauses = self.folder / f"{name}.pauses"
        process = OperatorProcess(
            self.cluster.kubeconfig,
            self.folder / f"{name}.log",
            [*where, *flags],
            program=self._shipped.operator(),
            environment={**in_pod(self._port), **probed(pauses)},
        )
        operator = Operator(process, pauses, self._profiles and self._profiles / f"{name}.stacks")
        try:
            if started:
                operator.start()
            yield operator
            operator.close()
        finally:
            operator.abandon()

    def _credentials(self) -> tuple[str, bytes]:
        return rights.token_of_operator(self.cluster), self.cluster.ca.read_bytes()

    def server_cpu(self) -> float:
        """CPU seconds that etcd and the API server have used so far."""
        return sum(processes.usage(pid).cpu_s for pid in self._server_pids)

    def server_metrics(self) -> str:
        """The metrics of the API server."""
        return str(self.cluster.request("GET", "/metrics"))


def _record(pid: int, target: Path) -> subprocess.Popen[bytes]:
    """Sample the stacks of a process that runs Python code, until its end."""
    program = str(Path(sys.executable).with_name("py-spy"))
    command = [program, "record", "--pid", str(pid), "--output", str(target), "--format", "raw"]
    options = ["--rate", "100", "--gil", "--nonblocking", "--duration", "3600"]
    with target.with_suffix(".log").open("wb") as log:
        return subprocess.Popen([*command, *options], stdout=log, stderr=log)
