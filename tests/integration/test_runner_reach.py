"""The rights of the default runner reach nothing, one namespace, or nearly everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from harness.attacks import ALL, CLOSED, RBAC, ROLE, Attack, body
from harness.executions import unique
from harness.kubectl import kubectl
from harness.objects import create_namespace, delete_namespace
from harness.overlays import applied
from harness.waiting import eventually
from localcluster import Cluster
from localcluster.cluster import ApiError
from localcluster.overlays import MANIFESTS

RUNNER = "system:serviceaccount:kubernaut-workflows:kubernaut-workflow-runner"
KEPT_OUT = ("kube-system", "kubernaut-system", "kubernaut-workflows")
MAY_NOT = "may not change anything in"
RUNNER_NAME, DEFAULT = "kubernaut-workflow-runner", "RuntimeDefault"
# Each with its metadata: known by its name, by Tekton's own label, or by the label of its owner.
SHUT: dict[str, dict[str, Any]] = {
    name: {"name": name, "labels": labels}
    for name, labels in {
        **{name: {} for name in KEPT_OUT},
        "kube-other": {},
        "openshift-pipelines": {},
        "tekton-pipelines": {},
        "tekton-pipelines-resolvers": {},
        "pipelines-of-ours": {"app.kubernetes.io/part-of": "tekton-pipelines"},
        "signing-of-ours": {"app.kubernetes.io/part-of": "tekton-chains"},
        "certificates": {"kubernaut.ai/keep-runner-out": "true"},
    }.items()
}


@pytest.fixture
def team(bare_cluster: Cluster) -> Iterator[str]:
    """A team's namespace with a Deployment."""
    name = unique("team")
    create_namespace(bare_cluster, name)
    create_deployment(bare_cluster, name)
    yield name
    delete_namespace(bare_cluster, name)


def create_deployment(cluster: Cluster, namespace: str) -> None:
    made = kubectl(cluster, "create", "deployment", "app", "--image=app", "-n", namespace)
    assert made.returncode == 0, made.stderr


def restart(cluster: Cluster, namespace: str) -> str:
    """Do as the runner what restarts a Deployment; returns what is said against it."""
    patch = '{"spec":{"template":{"metadata":{"annotations":{"restarted":"now"}}}}}'
    what = ("patch", "deployment", "app", "-n", namespace, f"--patch={patch}", f"--as={RUNNER}")
    done = kubectl(cluster, *what)
    return done.stderr if done.returncode else ""


def test_by_default_it_may_change_nothing(bare_cluster: Cluster, team: str) -> None:
    assert 'cannot get resource "deployments"' in restart(bare_cluster, team)


def test_in_one_namespace_it_may_work_there_alone(bare_cluster: Cluster, team: str) -> None:
    part = str(MANIFESTS / "runner-in-namespace")
    given = kubectl(bare_cluster, "apply", "-n", team, "-k", part)
    assert given.returncode == 0, given.stderr

    assert restart(bare_cluster, team) == ""
    for namespace in KEPT_OUT:
        assert 'cannot get resource "deployments"' in restart(bare_cluster, namespace)


@pytest.fixture(scope="module")
def cluster_wide(bare_cluster: Cluster) -> Iterator[Cluster]:
    """The cluster as the default runner sees it, bound cluster-wide, and to cluster-admin, too."""
    with applied(bare_cluster, ["runner-cluster-wide"]):
        made = [body("Namespace") | {"metadata": meta} for meta in SHUT.values()]
        for item in made:
            with suppress(ApiError):  # Kubernetes makes some, the installation others.
                bare_cluster.request("POST", "/api/v1/namespaces", item)
        for name in SHUT:
            furnish(bare_cluster, name)
        path = f"{RBAC}/clusterrolebindings"
        subject = {"kind": "ServiceAccount", "namespace": KEPT_OUT[2], "name": RUNNER_NAME}
        more = body("ClusterRoleBinding", RBAC[6:], roleRef=ROLE, subjects=[subject])
        bare_cluster.request("POST", path, more)
        runner = replace(bare_cluster, token=token_of(bare_cluster))
        try:
            eventually(lambda: _assert_shut(runner))
            yield runner
        finally:
            bare_cluster.request("DELETE", f"{path}/eve")
            for name in SHUT:
                strip(bare_cluster, name)
            for name in SHUT.keys() - set(KEPT_OUT):
                delete_namespace(bare_cluster, name)


def _assert_shut(runner: Cluster) -> None:
    assert MAY_NOT in ALL[0].said(runner, "kube-system")


def token_of(cluster: Cluster) -> str:
    path = f"/api/v1/namespaces/{KEPT_OUT[2]}/serviceaccounts/{RUNNER_NAME}/token"
    return str(cluster.request("POST", path, {"spec": {}})["status"]["token"])


def furnish(cluster: Cluster, namespace: str) -> None:
    """Put into a namespace what is attacked there."""
    create_deployment(cluster, namespace)
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
    eventually(lambda: _assert_there(cluster, account))
    pod = body("Pod", spec={"containers": [{"name": "app", "image": "app"}]})
    pod["metadata"]["name"] = "app"
    pod["spec"] |= {"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": DEFAULT}}}
    pod["spec"]["containers"][0]["securityContext"] = CLOSED
    cluster.request("POST", f"/api/v1/namespaces/{namespace}/pods", pod)


def strip(cluster: Cluster, namespace: str) -> None:
    """Take it out again."""
    for what in ("deployment/app", "pod/app"):
        kubectl(cluster, "delete", what, "-n", namespace, "--grace-period=0", "--force")


def _assert_there(cluster: Cluster, path: str) -> None:
    assert cluster.exists(path)


@pytest.mark.parametrize("attack", ALL, ids=str)
def test_cluster_wide_it_changes_nothing_where_the_cluster_tekton_and_the_operator_are(
    cluster_wide: Cluster, attack: Attack
) -> None:
    said = {namespace: attack.said(cluster_wide, namespace) for namespace in SHUT}

    # Kubernetes itself keeps kube-system.
    kept = ("may not be deleted", f"{MAY_NOT} %s;")
    left = {
        at: text
        for at, text in said.items()
        if not any(one.replace("%s", at) in text for one in kept)
    }
    assert left == {}


@pytest.mark.parametrize("attack", ALL, ids=str)
def test_cluster_wide_it_is_free_elsewhere(
    cluster_wide: Cluster, bare_cluster: Cluster, team: str, attack: Attack
) -> None:
    assert MAY_NOT not in attack.said(cluster_wide, team)


def test_what_belongs_to_no_namespace_is_not_shut(cluster_wide: Cluster) -> None:
    node = "/api/v1/nodes?dryRun=All"
    assert cluster_wide.request("POST", node, body("Node"))["kind"] == "Node"


def test_others_are_as_free_there_as_before(cluster_wide: Cluster, bare_cluster: Cluster) -> None:
    for namespace in SHUT:
        assert ALL[0].said(bare_cluster, namespace) == ""


def test_an_owner_of_the_cluster_shuts_a_namespace_with_a_label(
    cluster_wide: Cluster, bare_cluster: Cluster, team: str
) -> None:
    label = "kubernaut.ai/keep-runner-out"
    assert ALL[0].said(cluster_wide, team) == ""
    kubectl(bare_cluster, "label", "namespace", team, f"{label}=true")
    eventually(lambda: _assert_told(MAY_NOT, ALL[0].said(cluster_wide, team)))
    for attack in ALL[-4:]:
        assert MAY_NOT in attack.said(cluster_wide, team)
    kubectl(bare_cluster, "label", "namespace", team, f"{label}-")
    eventually(lambda: _assert_told("", ALL[0].said(cluster_wide, team)))


def _assert_told(wanted: str, said: str) -> None:
    assert wanted in said
    assert bool(wanted) == bool(said), said
