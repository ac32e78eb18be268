"""A real node inside the cluster's namespaces: containerd, the container network, the kubelet."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from localcluster import controlplane, sandbox
from localcluster.cluster import Cluster, Object
from localcluster.errors import ClusterError
from localcluster.machine import CNI_PLUGINS, RUNC
from localcluster.services import Service

NAME = "node"
USER = f"system:node:{NAME}"
PODS = "10.88.0.0/16"
SOCKET = Path("/run/containerd/containerd.sock")
# Both are tmpfs: image layers cannot be mounted from a file system that is itself an overlay.
ROOTS = [Path("/var/lib/containerd"), Path("/var/lib/kubelet")]
HIDDEN = [Path("/run"), Path("/var")]
CAP_SYS_RESOURCE = 24


def hide_the_machine(state: Path) -> None:
    """Give this mount namespace a /run of its own, and a /var whose changes nobody else sees.

    containerd, its shims, the kubelet and the network plugins write to fixed places there.
    Raises ClusterError where the state directory would be hidden too.
    """
    if any(state.is_relative_to(hidden) for hidden in HIDDEN):
        raise ClusterError(f"tier node cannot keep its state in {state}", hint="choose --state")
    private = state / "private"
    private.mkdir()
    sandbox.mount("tmpfs", private, "tmpfs")
    upper, work = private / "upper", private / "work"
    for folder in (upper, work):
        folder.mkdir()
    layers = f"lowerdir=/var,upperdir={upper},workdir={work}"
    sandbox.mount("overlay", "/var", "overlay", 0, layers)
    for folder in (Path("/run"), *ROOTS):
        folder.mkdir(parents=True, exist_ok=True)
        sandbox.mount("tmpfs", folder, "tmpfs", 0, "mode=755")
    # /var/run is a link to /run; programs expect this to be there.
    Path("/run/lock").mkdir()


@dataclass(frozen=True)
class Node:
    """The node of one cluster; `files` is a folder for its configuration."""

    cluster: Cluster
    files: Path

    def containerd(self) -> Service:
        """The container runtime."""
        program = self.cluster.programs["containerd"]
        path = self._write("containerd.toml", self._containerd_config())
        self._write("cni.conflist", json.dumps(_network()))
        shim = self.cluster.programs["containerd-shim-runc-v2"].parent
        environment = {"PATH": f"{shim}:{os.environ['PATH']}"}
        command = [program, f"--config={path}", "--log-level=warn"]
        return Service("containerd", command, environment, SOCKET.exists)

    def kubelet(self, kubeconfig: Path) -> Service:
        """The kubelet."""
        config = self._write("kubelet.json", json.dumps(_kubelet_config()))
        command = [
            self.cluster.programs["kubelet"],
            f"--kubeconfig={kubeconfig}",
            f"--config={config}",
            f"--hostname-override={NAME}",
            f"--node-ip={controlplane.NODE_ADDRESS}",
        ]
        return Service("kubelet", command, ready=lambda: is_ready(self.cluster, NAME))

    def _write(self, name: str, text: str) -> Path:
        self.files.mkdir(exist_ok=True)
        path = self.files / name
        path.write_text(text)
        return path

    def _containerd_config(self) -> str:
        keeps_scores = "true" if not _has_capability(CAP_SYS_RESOURCE) else "false"
        return f"""
version = 3
root = "{ROOTS[0]}"
state = "{SOCKET.parent}"
disabled_plugins = [
  "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.erofs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.nri.v1.nri",
]
[grpc]
address = "{SOCKET}"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{self.cluster.registry}/pause:latest"
[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = {keeps_scores}
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["{CNI_PLUGINS}"]
conf_dir = "{self.files}"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = "{RUNC}"
SystemdCgroup = false
"""


def is_ready(cluster: Cluster, name: str) -> bool:
    """Whether a node says that it is ready for pods."""
    found = cluster.request("GET", f"/api/v1/nodes/{name}")
    conditions = found["status"].get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _network() -> Object:
    """Each pod gets a cable of its own to the node, and finds everything through it."""
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": PODS}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    plugins = [{"type": "ptp", "ipam": addresses}]
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": plugins}


def _kubelet_config() -> Object:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": controlplane.NODE_ADDRESS,
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": False,
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        "localStorageCapacityIsolation": False,
        "oomScoreAdj": 0,
        "maxPods": 200,
        "evictionHard": {"memory.available": "50Mi"},
        "imageGCHighThresholdPercent": 100,
        "serializeImagePulls": False,
        "makeIPTablesUtilChains": False,
        # No name server listens here: a look-up is refused at once instead of timing out.
        "clusterDNS": [controlplane.NODE_ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": "",
        "readOnlyPort": 0,
        "kubeAPIQPS": 500,
        "kubeAPIBurst": 1000,
        "eventRecordQPS": 0,
    }


def _has_capability(number: int) -> bool:
    """Whether this process has one of the kernel's capabilities."""
    status = Path("/proc/self/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff"))
    return bool(int(effective.split()[1], 16) >> number & 1)
