"""A node played by kwok: pods are scheduled and end, though nothing in them runs.

It stands in for a kubelet where there is no root. Container states and times are as Tekton
expects them, exit codes and durations as the steps' environment asks (see `kwok_stages.yaml`);
logs and results there are none. A scheduler is needed beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

STAGES = Path(__file__).with_name("kwok_stages.yaml")
NODE_NAME = "kwok"
LEASE_SECONDS = 40
"""Time that the node counts as alive without a renewal; a kubelet's own default."""


def command(binary: Path, kubeconfig: Path, port: int) -> list[str]:
    """The command line; `/healthz` on the loopback port answers once it works.

    It plays every node of the cluster. Stages come from a file, so kwok's own resource
    definitions need not be installed.
    """
    return [
        str(binary),
        f"--kubeconfig={kubeconfig}",
        f"--config={STAGES}",
        "--manage-all-nodes=true",
        f"--node-lease-duration-seconds={LEASE_SECONDS}",
        "--node-ip=127.0.0.1",
        f"--node-port={port}",
        f"--server-address=127.0.0.1:{port}",
    ]


def nodes(count: int = 1) -> list[dict[str, Any]]:
    """The Node objects to create, `kwok-0` onwards; kwok reports capacity and readiness."""
    return [_node(f"{NODE_NAME}-{index}") for index in range(count)]


def _node(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "type": "kwok",
            },
            "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
        },
    }
