"""A registry inside the user's cluster, so that the demo needs none that both sides can reach."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from live_demo.tools import DemoError, kubectl
from localcluster.ports import accepts, free
from localcluster.waiting import eventually

NAMESPACE = f"kubernaut-demo-{secrets.token_hex(2)}"
POD = "registry"
PORT = 5000


@contextmanager
def serve_registry(program: Path, kubeconfig: Path) -> Iterator[tuple[str, str]]:
    """Run a registry in a pod; gives its address from here and from within the cluster.

    The pod's own address is used, not a Service's: Tekton's resolver speaks plain HTTP to private
    addresses only, and a pod's nearly always is one.
    """
    image = os.environ.get("REGISTRY_IMAGE", "registry:3")
    kubectl(program, kubeconfig, "create", "namespace", NAMESPACE)
    try:
        kubectl(
            program, kubeconfig, "-n", NAMESPACE, "run", POD, f"--image={image}", "--restart=Never"
        )
        kubectl(
            program,
            kubeconfig,
            "-n",
            NAMESPACE,
            "wait",
            f"pod/{POD}",
            "--for=condition=Ready",
            "--timeout=120s",
        )
        address = kubectl(
            program,
            kubeconfig,
            "-n",
            NAMESPACE,
            "get",
            "pod",
            POD,
            "-o",
            "jsonpath={.status.podIP}",
        )
        with _forward(program, kubeconfig) as here:
            yield here, f"{address}:{PORT}"
    finally:
        kubectl(program, kubeconfig, "delete", "namespace", NAMESPACE, "--wait=false")


@contextmanager
def _forward(program: Path, kubeconfig: Path) -> Iterator[str]:
    port = free(1)[0]
    process = subprocess.Popen(
        [
            *(str(program), "--kubeconfig", str(kubeconfig), "-n", NAMESPACE),
            *("port-forward", f"pod/{POD}", f"{port}:{PORT}", "--address", "127.0.0.1"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        eventually(lambda: accepts(port) or process.poll() is not None, 30, "the port-forward")
        if process.poll() is not None:
            complaint = process.stderr.read().decode() if process.stderr else ""
            raise DemoError(f"cannot reach the registry's pod: {complaint.strip()}")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate()
