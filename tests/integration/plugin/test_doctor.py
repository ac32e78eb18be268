"""Doctor needs no other rights for its findings than those of the role that is shipped for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest

from harness import rights
from harness.executions import unique
from harness.objects import Objects, create_namespace, delete_namespace
from harness.plugin_command import ask
from harness.world import World
from localcluster.cluster import Object
from localcluster.objects import read
from localcluster.overlays import MANIFESTS

(SHIPPED,) = [
    item
    for item in read(MANIFESTS / "operator" / "deployment.yaml")
    if item["kind"] == "Deployment"
]


@pytest.fixture(scope="module")
def doctor(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kubeconfig of somebody who has that role and no other."""
    roles = {"workflowexecution-doctor": ""}
    folder = tmp_path_factory.mktemp("doctor")
    return rights.kubeconfig_with_roles(world.cluster, world.source, "doctor", roles, folder)


@pytest.fixture
def place(world: World) -> Iterator[str]:
    """A namespace for Deployments that nobody carries out here."""
    name = unique("operators")
    create_namespace(world.cluster, name)
    yield name
    delete_namespace(world.cluster, name)


def findings(world: World, doctor: Path, place: str) -> dict[str, list[Object]]:
    """The findings by check; each check must have been allowed to look."""
    told = ask(world, "doctor", "--operator-namespace", place, "-o", "json", kubeconfig=str(doctor))
    found: dict[str, list[Object]] = {}
    for item in json.loads(told.out)["items"]:
        found.setdefault(item["check"], []).append(item)
        assert "the right to" not in item["detail"], item
        assert item["fix"] or item["state"] == "ok", item
    return found


def deploy(world: World, place: str, name: str, **variables: str) -> None:
    """Create the Deployment as it is shipped, under this name and with these variables."""
    item = deepcopy(SHIPPED)
    item["metadata"] |= {"name": name, "namespace": place}
    (container,) = item["spec"]["template"]["spec"]["containers"]
    given = [one for one in container["env"] if one["name"] not in variables]
    container["env"] = given + [{"name": key, "value": text} for key, text in variables.items()]
    world.cluster.request("POST", f"/apis/apps/v1/namespaces/{place}/deployments", item)


def test_without_an_operator_it_says_so(world: World, doctor: Path, place: str) -> None:
    (found,) = findings(world, doctor, place)["operator"]
    assert found["state"] == "warning"
    assert "there is no Deployment" in found["detail"]


def test_an_operator_that_has_not_led_yet_is_an_error_with_a_fix(
    world: World, doctor: Path, place: str
) -> None:
    deploy(world, place, rights.ACCOUNT)
    found = findings(world, doctor, place)
    assert [item["state"] for item in found["operator"]] == ["error"]
    assert [item["detail"] for item in found["leader"]] == [
        f"nobody has led yet: there is no Lease {place}/{rights.ACCOUNT}"
    ]
    assert "shards" not in found


def test_a_shard_that_nobody_has_is_an_error(world: World, doctor: Path, place: str) -> None:
    for number in (1, 3):
        deploy(world, place, f"part-{number}", WFE_SHARD=f"{number}/3")
    found = findings(world, doctor, place)
    (shards,) = found["shards"]
    assert (shards["state"], "no operator has shard 2/3" in shards["detail"]) == ("error", True)
    assert len(found["operator"]) == len(found["operator version"]) == 2
    leases = [f"{rights.ACCOUNT}-{number}-of-3" for number in (1, 3)]
    assert [item["detail"].rpartition("/")[2] for item in found["leader"]] == leases


def test_what_another_installation_has_claimed_is_an_error_with_a_fix(
    world: World, doctor: Path, place: str
) -> None:
    deploy(world, place, rights.ACCOUNT, WFE_WATCH_NAMESPACES=place)
    (found,) = findings(world, doctor, place)["claims"]
    assert found["state"] == "ok"
    claim = {
        "apiVersion": "workflowexecution.kubernaut.ai/v1alpha1",
        "kind": "WorkflowClaim",
        "metadata": {"name": "workflowexecutions", "namespace": place},
        "spec": {"executionNamespace": "their-runs"},
    }
    claims = Objects(world.cluster, "workflowclaims")
    claims.create(claim)
    try:
        (found,) = findings(world, doctor, place)["claims"]
    finally:
        # Everybody who asks about all namespaces would be told.
        claims.delete(claim)
    assert found["state"] == "error"
    assert (
        f"namespace {place}: claimed by the installation whose runs are in their-runs"
        in (found["detail"])
    )
    assert f"kubectl delete workflowclaims workflowexecutions -n {place}" in found["fix"]
