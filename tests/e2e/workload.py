"""Creates a target: a Deployment with one small pod."""

from __future__ import annotations

from harness.executions import unique
from harness.waiting import eventually
from localcluster.cluster import Cluster, Object

DEPLOYMENTS = "/apis/apps/v1/namespaces/{}/deployments"


def create_workload(cluster: Cluster, namespace: str) -> str:
    """Create a Deployment, wait until its pod runs, and return it as a target."""
    name = unique("app")
    labels = {"app": name}
    container = {
        "name": "app",
        "image": f"{cluster.registry}/shell:latest",
        "command": ["/bin/sh", "-c", "trap exit TERM; while :; do sleep 1; done"],
    }
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
    }
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }
    cluster.request("POST", DEPLOYMENTS.format(namespace), body)
    target = f"{namespace}/Deployment/{name}"

    def is_available() -> None:
        assert workload(cluster, target).get("status", {}).get("availableReplicas") == 1

    eventually(is_available, 60)
    return target


def workload(cluster: Cluster, target: str) -> Object:
    """The Deployment as it is now."""
    namespace, _, name = target.split("/")
    found: Object = cluster.request("GET", f"{DEPLOYMENTS.format(namespace)}/{name}")
    return found


def restarted_at(cluster: Cluster, target: str) -> str:
    """The time of its last restart on demand; empty if it never had one."""
    meta = workload(cluster, target)["spec"]["template"]["metadata"]
    return str(meta.get("annotations", {}).get("kubectl.kubernetes.io/restartedAt", ""))
