"""A real Kubernetes with Tekton on one machine, built from package registries alone.

with localcluster.running("tekton") as cluster:
    subprocess.run([cluster.kubectl, "--kubeconfig", cluster.kubeconfig, "get", "crd"])
"""

from localcluster.cluster import ApiError, Cluster
from localcluster.errors import ClusterError
from localcluster.lifecycle import default_state, find, running, start, stop
from localcluster.programs import Tier
from localcluster.waiting import eventually

__all__ = [
    "ApiError",
    "Cluster",
    "ClusterError",
    "Tier",
    "default_state",
    "eventually",
    "find",
    "running",
    "start",
    "stop",
]
