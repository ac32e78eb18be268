"""The operator's identity: the ServiceAccount and rights that manifests/ ship, and its token."""

from __future__ import annotations

from pathlib import Path

from localcluster.cluster import Cluster, Object
from localcluster.objects import apply, read, read_folder

MANIFESTS = Path(__file__).parents[3] / "manifests"
ACCOUNT_PATH = (
    "/api/v1/namespaces/kubernaut-system/serviceaccounts/workflowexecution-controller/token"
)


def install(cluster: Cluster) -> None:
    """Apply namespaces and rights as they are shipped."""
    for folder in ("namespaces", "rbac"):
        for item in read_folder(MANIFESTS / folder):
            apply(cluster, item)


def extend_to(cluster: Cluster, namespace: str) -> None:
    """Give the operator in this one namespace what it is given in the two shipped ones."""
    for item in read(MANIFESTS / "rbac" / "controller.yaml"):
        if item["kind"] in ("Role", "RoleBinding"):
            moved: Object = {**item, "metadata": {**item["metadata"], "namespace": namespace}}
            apply(cluster, moved)


def token_of_operator(cluster: Cluster) -> str:
    """A token of the operator's ServiceAccount, for an hour."""
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": 3600},
    }
    answer = cluster.request("POST", ACCOUNT_PATH, request)
    return str(answer["status"]["token"])


def let_run(cluster: Cluster, namespace: str) -> None:
    """Give workflows in this execution namespace the account and rights they are shipped with."""
    for item in read(MANIFESTS / "rbac" / "runner.yaml"):
        moved = _for_runs_in(item, namespace)
        if moved is not None:
            apply(cluster, moved)


def _for_runs_in(item: Object, namespace: str) -> Object | None:
    """One manifest of the runner for another namespace; None where it serves all as it is."""
    if item["kind"] == "ClusterRole":
        return None
    meta = dict(item["metadata"])
    if item["kind"] == "ServiceAccount":
        return {**item, "metadata": {**meta, "namespace": namespace}}
    subjects = [{**subject, "namespace": namespace} for subject in item["subjects"]]
    return {
        **item,
        "metadata": {**meta, "name": f"{meta['name']}-{namespace}"},
        "subjects": subjects,
    }
