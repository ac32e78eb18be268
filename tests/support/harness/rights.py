"""The operator's identity: the ServiceAccount and rights that manifests/ ship, and its token."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import yaml

from localcluster.cluster import Cluster, Object, write_kubeconfig
from localcluster.objects import apply, read, read_folder
from localcluster.overlays import MANIFESTS

OPERATOR_NAMESPACE, ACCOUNT = "kubernaut-system", "workflowexecution-controller"
ACCOUNT_PATH = f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/serviceaccounts/{ACCOUNT}/token"


def install(cluster: Cluster) -> None:
    """Apply namespaces and rights as they are shipped."""
    for folder in ("namespaces", "rbac"):
        for item in read_folder(MANIFESTS / folder):
            apply(cluster, item)


def extend_to(cluster: Cluster, namespace: str) -> None:
    """Give the operator in this one namespace what it is given in the two shipped ones."""
    for item in read(MANIFESTS / "rbac" / "controller.yaml"):
        if item["kind"] in ("Role", "RoleBinding"):
            apply(cluster, _moved(item, namespace))


def let_remove_executions(cluster: Cluster, namespace: str) -> None:
    """Give the operator in this namespace what the component for execution retention gives it."""
    (component,) = read(MANIFESTS / "components" / "execution-retention" / "kustomization.yaml")
    (operation,) = yaml.safe_load(component["patches"][0]["patch"])
    meta = {"name": "execution-retention", "namespace": namespace}
    group = "rbac.authorization.k8s.io"
    role = {"kind": "Role", "name": meta["name"], "apiGroup": group}
    account = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": OPERATOR_NAMESPACE}
    api = {"apiVersion": f"{group}/v1", "metadata": meta}
    apply(cluster, {**api, "kind": "Role", "rules": [operation["value"]]})
    apply(cluster, {**api, "kind": "RoleBinding", "roleRef": role, "subjects": [account]})


def let_review(cluster: Cluster) -> None:
    """Let the operator ask who its visitors are, as the component for the status page does."""
    for item in read(MANIFESTS / "components" / "status-page" / "reviews.yaml"):
        apply(cluster, item)


@contextmanager
def tekton_info(cluster: Cluster) -> Iterator[None]:
    """Let all users read Tekton's version for the block, as an installed Tekton does."""
    where = {"name": "tekton-pipelines-info", "namespace": "tekton-pipelines"}
    group = "rbac.authorization.k8s.io"
    api = {"apiVersion": f"{group}/v1", "metadata": where}
    info = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["pipelines-info"]}
    users = {"kind": "Group", "name": "system:authenticated", "apiGroup": group}
    role = {"kind": "Role", "name": where["name"], "apiGroup": group}
    name = {"name": where["namespace"]}
    apply(cluster, {"apiVersion": "v1", "kind": "Namespace", "metadata": name})
    apply(cluster, {**api, "kind": "Role", "rules": [{**info, "verbs": ["get"]}]})
    apply(cluster, {**api, "kind": "RoleBinding", "roleRef": role, "subjects": [users]})
    try:
        yield
    finally:
        place = f"/apis/{group}/v1/namespaces/{where['namespace']}/rolebindings"
        cluster.request("DELETE", f"{place}/{where['name']}")


@contextmanager
def without_review(cluster: Cluster) -> Iterator[None]:
    """Take from the operator, for the block, what `let_review` gives."""
    path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/workflowexecution-status-page"
    cluster.request("DELETE", path)
    try:
        yield
    finally:
        let_review(cluster)


def token_of_operator(cluster: Cluster) -> str:
    """A token of the operator's ServiceAccount, for an hour."""
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": 3600},
    }
    answer = cluster.request("POST", ACCOUNT_PATH, request)
    return str(answer["status"]["token"])


def token_in(kubeconfig: Path) -> str:
    """The token that a kubeconfig of ours carries."""
    return str(json.loads(kubeconfig.read_text())["users"][0]["user"]["token"])


def let_run(cluster: Cluster, namespace: str, remediate: str) -> None:
    """Give workflows in this execution namespace their account, and let it work on another one."""
    (account,) = [
        item
        for item in read(MANIFESTS / "rbac" / "runner.yaml")
        if item["kind"] == "ServiceAccount"
    ]
    apply(cluster, _moved(account, namespace))
    (binding,) = read(MANIFESTS / "runner-in-namespace" / "rolebinding.yaml")
    subjects = [{**subject, "namespace": namespace} for subject in binding["subjects"]]
    apply(cluster, {**_moved(binding, remediate), "subjects": subjects})


def as_account(
    cluster: Cluster, namespace: str, name: str, rules: Mapping[str, Sequence[Object]]
) -> Cluster:
    """The cluster as a new ServiceAccount sees it, with these rules in each of these namespaces."""
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    cluster.request("POST", accounts, {"metadata": {"name": name}})
    for place, given in rules.items():
        for item in _role(f"{namespace}-{name}", place, given, subject=(namespace, name)):
            apply(cluster, item)
    ask = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    answer = cluster.request("POST", f"{accounts}/{name}/token", ask)
    return replace(cluster, token=str(answer["status"]["token"]))


def kubeconfig_of(
    cluster: Cluster,
    namespace: str,
    name: str,
    rules: Mapping[str, Sequence[Object]],
    folder: Path,
) -> Path:
    """A kubeconfig of a new ServiceAccount, with these rules in each of these namespaces."""
    who = as_account(cluster, namespace, name, rules)
    return write_kubeconfig(folder / f"{name}.kubeconfig", who.server, who.ca, who.token)


def kubeconfig_with_roles(
    cluster: Cluster, namespace: str, name: str, roles: Mapping[str, str], folder: Path
) -> Path:
    """A kubeconfig of a new ServiceAccount with shipped ClusterRoles, each in a namespace.

    An empty namespace stands for all of them.
    """
    config = kubeconfig_of(cluster, namespace, name, {}, folder)
    _bind(cluster, (namespace, name), roles)
    return config


def with_roles(cluster: Cluster, namespace: str, name: str, roles: Mapping[str, str]) -> Cluster:
    """The cluster as a new ServiceAccount with shipped ClusterRoles sees it; `roles` as above."""
    who = as_account(cluster, namespace, name, {})
    _bind(cluster, (namespace, name), roles)
    return who


def as_operator(cluster: Cluster) -> Cluster:
    """The cluster as whoever has stolen the operator's token sees it."""
    return replace(cluster, token=token_of_operator(cluster))


def _bind(cluster: Cluster, account: tuple[str, str], roles: Mapping[str, str]) -> None:
    """Bind ClusterRoles to a ServiceAccount, each in a namespace; empty: in all of them."""
    group, (namespace, name) = "rbac.authorization.k8s.io", account
    for role, place in roles.items():
        meta = {"name": f"{namespace}-{name}-{role}"}
        binding = {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding" if place else "ClusterRoleBinding",
            "metadata": {**meta, "namespace": place} if place else meta,
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "namespace": namespace, "name": name}],
        }
        apply(cluster, binding)


def _moved(item: Object, namespace: str) -> Object:
    return {**item, "metadata": {**item["metadata"], "namespace": namespace}}


def _role(
    name: str, namespace: str, rules: Sequence[Object], subject: tuple[str, str]
) -> tuple[Object, Object]:
    """A Role, and its binding to a ServiceAccount."""
    meta = {"name": name, "namespace": namespace}
    group = "rbac.authorization.k8s.io"
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": meta, "rules": list(rules)}
    who = {"kind": "ServiceAccount", "namespace": subject[0], "name": subject[1]}
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": meta,
        "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
        "subjects": [who],
    }
    return role, binding
