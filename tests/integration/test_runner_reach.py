"""How far the rights of the default runner reach: nowhere, one namespace, or nearly everywhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.executions import unique
from harness.kubectl import kubectl
from harness.objects import create_namespace, delete_namespace
from harness.overlays import applied
from harness.rights import MANIFESTS
from harness.waiting import eventually
from localcluster import Cluster

RUNNER = "system:serviceaccount:kubernaut-workflows:kubernaut-workflow-runner"
KEPT_OUT = ("kube-system", "kubernaut-system", "kubernaut-workflows")
MAY_NOT = "may not change anything in"


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


def test_cluster_wide_it_is_kept_out_of_what_runs_the_cluster_and_the_operator(
    bare_cluster: Cluster, team: str
) -> None:
    def is_kept_out(namespace: str) -> None:
        assert f"{MAY_NOT} {namespace}" in restart(bare_cluster, namespace)

    for namespace in KEPT_OUT:
        create_deployment(bare_cluster, namespace)
    try:
        with applied(bare_cluster, ["runner-cluster-wide"]):
            for namespace in KEPT_OUT:
                eventually(lambda where=namespace: is_kept_out(where))  # type: ignore[misc]
            assert restart(bare_cluster, team) == ""
            # Others are as free there as before.
            changed = kubectl(bare_cluster, "set", "env", "-n", "kube-system", "deploy/app", "A=b")
            assert changed.returncode == 0, changed.stderr
    finally:
        for namespace in KEPT_OUT:
            kubectl(bare_cluster, "delete", "deployment", "app", "-n", namespace)
