"""Kubernetes objects by kind and name, read and written as the cluster's administrator."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlencode

from harness.executions import name_of
from localcluster.cluster import MERGE, ApiError, Cluster, Object

OLD_FINALIZER = "workflowexecution.kubernaut.ai/workflowexecution-cleanup"
_ROOTS = {
    "workflowexecutions": "/apis/workflowexecution.kubernaut.ai/v1alpha1",
    "workflowholds": "/apis/workflowexecution.kubernaut.ai/v1alpha1",
    "workflowclaims": "/apis/workflowexecution.kubernaut.ai/v1alpha1",
    "pipelineruns": "/apis/tekton.dev/v1",
    "taskruns": "/apis/tekton.dev/v1",
    "customruns": "/apis/tekton.dev/v1beta1",
    "events": "/apis/events.k8s.io/v1",
    "pods": "/api/v1",
    "serviceaccounts": "/api/v1",
}


def path_of(plural: str, namespace: str, name: str = "") -> str:
    """Path of a list, or of one object in it."""
    return f"{_ROOTS[plural]}/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")


class Objects:
    """One kind of object in any namespace."""

    def __init__(self, cluster: Cluster, plural: str) -> None:
        self._cluster = cluster
        self._plural = plural

    def create(self, item: Object, **query: str) -> Object:
        """Create an object in the namespace it names; ApiError where it is refused."""
        path = path_of(self._plural, item["metadata"]["namespace"])
        created: Object = self._cluster.request("POST", f"{path}?{urlencode(query)}", item)
        return created

    def get(self, namespace: str, name: str) -> Object | None:
        """Read an object, or None where there is none."""
        try:
            found: Object = self._cluster.request("GET", path_of(self._plural, namespace, name))
        except ApiError as error:
            if error.code == 404:
                return None
            raise
        return found

    def list(self, namespace: str, **query: str) -> list[Object]:
        """All objects of a namespace, oldest first."""
        path = f"{path_of(self._plural, namespace)}?{urlencode(query)}"
        found: list[Object] = self._cluster.request("GET", path)["items"]
        return sorted(found, key=lambda item: int(item["metadata"]["resourceVersion"]))

    def patch(self, item: Object, patch: Object, subresource: str = "") -> Object:
        """Change an object, or a subresource of it, by merge patch."""
        path = self._path(item) + (f"/{subresource}" if subresource else "")
        changed: Object = self._cluster.request("PATCH", path, patch, MERGE)
        return changed

    def delete(self, item: Object) -> None:
        """Ask for an object's end; it may be gone already."""
        with suppress(ApiError):
            self._cluster.request("DELETE", self._path(item))

    def _path(self, item: Object) -> str:
        return path_of(self._plural, item["metadata"]["namespace"], name_of(item))


def create_namespace(cluster: Cluster, name: str) -> None:
    """Create a namespace."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    cluster.request("POST", "/api/v1/namespaces", body)


def delete_namespace(cluster: Cluster, name: str) -> None:
    """Ask for a namespace's end; its objects go in the background."""
    with suppress(ApiError):
        cluster.request("DELETE", f"/api/v1/namespaces/{name}")
