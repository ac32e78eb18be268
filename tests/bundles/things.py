"""Creates targets: workloads whose pods really run, small and quick to end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.waiting import eventually
from localcluster.cluster import ApiError, Cluster, Object

READY_S = 60.0
_PLURALS = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "ReplicaSet": "/apis/apps/v1/namespaces/{}/replicasets",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
}
STAY = "trap exit TERM; while :; do sleep 1; done"


def path_of(target: str) -> str:
    """Path of the object that a target names."""
    if target.startswith("Node/"):
        return f"/api/v1/nodes/{target.partition('/')[2]}"
    namespace, kind, name = target.split("/")
    return f"{_PLURALS[kind].format(namespace)}/{name}"


def read(cluster: Cluster, target: str) -> Object:
    """The object that a target names, as it is now."""
    found: Object = cluster.request("GET", path_of(target))
    return found


def exists(cluster: Cluster, target: str) -> bool:
    """Whether it exists."""
    try:
        read(cluster, target)
    except ApiError as error:
        if error.code == 404:
            return False
        raise
    return True


def listed(cluster: Cluster, namespace: str, kind: str, **labels: str) -> list[Object]:
    """All objects of a kind with these labels."""
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    path = f"{_PLURALS[kind].format(namespace)}?labelSelector={selector}"
    found: list[Object] = cluster.request("GET", path)["items"]
    return found


def create(cluster: Cluster, namespace: str, kind: str, name: str, spec: Object) -> str:
    """Create an object and return it as a target."""
    path = _PLURALS[kind].format(namespace)
    version = path.removeprefix("/apis/").removeprefix("/api/").split("/namespaces/")[0]
    body = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": spec,
    }
    cluster.request("POST", path, body)
    return f"{namespace}/{kind}/{name}"


def pod_spec(cluster: Cluster, script: str = STAY, **container: Any) -> Object:
    """One container that runs a script and ends at once when told to."""
    return {
        "containers": [
            {
                "name": "app",
                "image": f"{cluster.registry}/shell:latest",
                "command": ["/bin/sh", "-c", script],
                **container,
            }
        ],
        "terminationGracePeriodSeconds": 1,
    }


def workload(
    cluster: Cluster,
    namespace: str,
    kind: str,
    name: str,
    *,
    pod: Object | None = None,
    is_ready: bool = True,
    **spec: Any,
) -> str:
    """Create a workload of one pod, wait until that runs, and return it as a target."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod or pod_spec(cluster)}
    body = {"selector": {"matchLabels": labels}, "template": template, **spec}
    if kind == "StatefulSet":
        body["serviceName"] = name
    target = create(cluster, namespace, kind, name, body)
    if is_ready:
        until_ready(cluster, target)
    return target


def until_ready(cluster: Cluster, target: str) -> None:
    """Wait until all pods of a workload are of its present template and ready."""

    def check() -> None:
        found = read(cluster, target)
        status, spec = found.get("status", {}), found["spec"]
        assert status.get("observedGeneration") == found["metadata"]["generation"]
        if found["kind"] == "DaemonSet":
            wanted = status["desiredNumberScheduled"]
            assert wanted
            assert status.get("numberReady") == wanted, status
        else:
            assert status.get("readyReplicas", 0) == spec["replicas"], status

    eventually(check, READY_S)


def pods_of(cluster: Cluster, target: str) -> list[Object]:
    """The pods of a workload that are not on their way out."""
    namespace, _, name = target.split("/")
    pods = listed(cluster, namespace, "Pod", app=name)
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def uids(items: list[Object]) -> set[str]:
    """The UIDs, which tell an object from a later one of the same name."""
    return {item["metadata"]["uid"] for item in items}


def change(cluster: Cluster, target: str, patch: Object) -> None:
    """Change an object by a strategic merge patch, as kubectl would."""
    kind = "application/strategic-merge-patch+json"
    cluster.request("PATCH", path_of(target), patch, kind)


def eventually_pods(
    cluster: Cluster, target: str, holds: Callable[[list[Object]], bool]
) -> list[Object]:
    """Wait until something holds for the pods of a workload, and return them."""

    def check() -> list[Object]:
        pods = pods_of(cluster, target)
        assert holds(pods), [pod["status"] for pod in pods]
        return pods

    return eventually(check, READY_S)
