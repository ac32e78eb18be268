"""Doctor finds the obstacles to the start of runs, with the role that is shipped for it."""

from __future__ import annotations

import copy
import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import rights
from harness.executions import unique
from harness.objects import create_namespace, delete_namespace
from harness.plugin_command import Answer, ask
from harness.waiting import eventually
from harness.world import World
from localcluster.cluster import Object

APPS = "/apis/apps/v1/namespaces"
HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
RESOLVERS = "tekton-pipelines-resolvers"
RUNS = "count/pipelineruns.tekton.dev"


@pytest.fixture(scope="module")
def doctor(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kubeconfig of somebody who has that role and no other."""
    folder = tmp_path_factory.mktemp("doctor")
    roles = {"workflowexecution-doctor": ""}
    return rights.kubeconfig_with_roles(world.cluster, world.source, unique("d"), roles, folder)


@pytest.fixture
def place(world: World) -> Iterator[str]:
    """An execution namespace in which nobody runs anything."""
    name = unique("place")
    create_namespace(world.cluster, name)
    yield name
    delete_namespace(world.cluster, name)


@pytest.fixture
def resolvers(world: World) -> Iterator[None]:
    """The namespace of Tekton's resolvers."""
    create_namespace(world.cluster, RESOLVERS)
    yield
    delete_namespace(world.cluster, RESOLVERS)


def told(world: World, kubeconfig: Path, place: str) -> Answer:
    """The answer of doctor, with this execution namespace."""
    other = copy.copy(world)
    other.execution_namespace = place
    return ask(other, "doctor", "-o", "json", kubeconfig=str(kubeconfig))


def found(world: World, kubeconfig: Path, place: str, check: str) -> list[Object]:
    """The findings of one check."""
    items = json.loads(told(world, kubeconfig, place).out)["items"]
    return [item for item in items if item["check"] == check]


def deployment(name: str, namespace: str) -> Object:
    labels = {"app": name}
    pod = {"containers": [{"name": "c", "image": "registry.example/tekton"}]}
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


@pytest.mark.parametrize(
    ("check", "name"),
    [
        ("resolver", "tekton-pipelines-remote-resolvers"),
        ("tekton controller", "tekton-pipelines-controller"),
    ],
)
def test_a_part_of_tekton_that_is_down(
    world: World, doctor: Path, place: str, check: str, name: str
) -> None:
    path = f"{APPS}/{place}/deployments"
    world.cluster.request("POST", path, deployment(name, place))
    (down,) = found(world, doctor, place, check)
    assert (down["state"], f"kubectl describe -n {place}" in down["fix"]) == ("error", True)
    world.cluster.request("PATCH", f"{path}/{name}", {"spec": {"replicas": 0}})
    (off,) = found(world, doctor, place, check)
    assert off["fix"] == f"kubectl scale -n {place} deploy/{name} --replicas 1"
    status = {"replicas": 1, "readyReplicas": 1}
    world.cluster.request("PATCH", f"{path}/{name}/status", {"status": status})
    (up,) = found(world, doctor, place, check)
    assert up["state"] == "ok"


def test_a_resolver_that_is_switched_off_for_bundles(
    world: World, doctor: Path, place: str, resolvers: None
) -> None:
    assert found(world, doctor, place, "bundles") == []
    path = f"/api/v1/namespaces/{RESOLVERS}/configmaps"
    name = "resolvers-feature-flags"
    data = {"enable-bundles-resolver": "true"}
    world.cluster.request("POST", path, {"metadata": {"name": name}, "data": data})
    (on,) = found(world, doctor, place, "bundles")
    assert on["state"] == "ok"
    data = {"enable-bundles-resolver": "false"}
    world.cluster.request("PATCH", f"{path}/{name}", {"data": data})
    (off,) = found(world, doctor, place, "bundles")
    assert off["state"] == "error"
    assert f"kubectl patch configmap {name} -n {RESOLVERS}" in off["fix"]


def test_a_webhook_of_tekton_that_is_down(world: World, doctor: Path, place: str) -> None:
    rule = {
        "apiGroups": ["tekton.dev"],
        "apiVersions": ["*"],
        "operations": ["CREATE"],
        "resources": ["pipelineruns"],
    }
    service = {"name": "tekton-pipelines-webhook", "namespace": place}
    hook = {
        "name": "validation.webhook.pipeline.tekton.dev",
        "clientConfig": {
            "service": service,
            "caBundle": b64encode(world.cluster.ca.read_bytes()).decode(),
        },
        "rules": [rule],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        # What others create meanwhile is not its business.
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": place}},
    }
    world.cluster.request("POST", HOOKS, {"metadata": {"name": place}, "webhooks": [hook]})
    try:
        (down,) = found(world, doctor, place, "webhooks")
        elsewhere = {"matchLabels": {"kubernetes.io/metadata.name": RESOLVERS}}
        of_others = {"webhooks": [{**hook, "namespaceSelector": elsewhere}]}
        world.cluster.request("PATCH", f"{HOOKS}/{place}", of_others)
        (not_concerned,) = found(world, doctor, place, "webhooks")
        world.cluster.request("PATCH", f"{HOOKS}/{place}", {"webhooks": [hook]})
        endpoints = {
            "metadata": {
                "name": "hook",
                "labels": {"kubernetes.io/service-name": service["name"]},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": True}}],
        }
        slices = f"/apis/discovery.k8s.io/v1/namespaces/{place}/endpointslices"
        world.cluster.request("POST", slices, endpoints)
        (up,) = found(world, doctor, place, "webhooks")
    finally:
        world.cluster.request("DELETE", f"{HOOKS}/{place}")
    states = (down["state"], not_concerned["state"], up["state"])
    assert states == ("error", "ok", "ok")
    assert f"nobody answers at Service {place}/{service['name']}" in down["detail"]
    assert down["fix"] == f"kubectl get pods -n {place}"


def test_a_quota_without_room(world: World, doctor: Path, place: str) -> None:
    (none,) = found(world, doctor, place, "quotas")
    assert (none["state"], none["detail"]) == ("ok", f"none in {place} limits runs or pods")
    path, hard = f"/api/v1/namespaces/{place}/resourcequotas", {RUNS: "3", "limits.cpu": "2"}
    world.cluster.request("POST", path, {"metadata": {"name": "few"}, "spec": {"hard": hard}})
    which = f"ResourceQuota {place}/few"
    demands = f"{which} refuses pods with a container without limits.cpu: Tekton's own containers"

    def assert_told(used: Object | None, state: str, detail: str) -> str:
        """With this much used; the controller that counts too may write once in between."""
        status = {"hard": hard if used else None, "used": used}
        world.cluster.request("PATCH", f"{path}/few/status", {"status": status})
        (item,) = found(world, doctor, place, "quotas")
        assert (item["state"], item["detail"].startswith(detail)) == (state, True), item
        return str(item["fix"])

    def fix_of(used: Object | None, state: str, detail: str) -> str:
        return eventually(lambda: assert_told(used, state, detail))

    look = f"kubectl describe quota few -n {place}"
    assert look in fix_of(None, "error", f"{which} is not counted yet")
    full = f"{which} has no room left: {RUNS} 3 of 3, limits.cpu 2 of 2"
    assert look in fix_of({RUNS: "3", "limits.cpu": "2000m"}, "error", full)
    assert "LimitRange" in fix_of({RUNS: "2", "limits.cpu": "1"}, "warning", demands)
    limits = {"limits": [{"type": "Container", "default": {"cpu": "1"}}]}
    ranges = f"/api/v1/namespaces/{place}/limitranges"
    world.cluster.request("POST", ranges, {"metadata": {"name": "usual"}, "spec": limits})
    room = {RUNS: "2", "limits.cpu": "1"}
    assert fix_of(room, "ok", f"none in {place} is used up: few") == ""


def test_a_level_of_pod_security_that_tekton_does_not_meet(
    world: World, doctor: Path, place: str
) -> None:
    def at(level: str) -> Object:
        labels = {"pod-security.kubernetes.io/enforce": level}
        path = f"/api/v1/namespaces/{place}"
        world.cluster.request("PATCH", path, {"metadata": {"labels": labels}})
        (item,) = found(world, doctor, place, "pod security")
        return item

    assert at("baseline")["state"] == "ok"
    assert at("restricted")["state"] == "unknown"
    path = "/api/v1/namespaces/tekton-pipelines/configmaps"
    flags = {"set-security-context": "false"}
    world.cluster.request("POST", path, {"metadata": {"name": "feature-flags"}, "data": flags})
    try:
        off = at("restricted")
        flags = {"set-security-context": "true"}
        world.cluster.request("PATCH", f"{path}/feature-flags", {"data": flags})
        on = at("restricted")
    finally:
        world.cluster.request("DELETE", f"{path}/feature-flags")
    assert (off["state"], on["state"]) == ("error", "ok")
    assert "kubectl patch configmap feature-flags -n tekton-pipelines" in off["fix"]
    assert f"kubectl label namespace {place} " in off["fix"]


def test_what_may_not_be_read_is_unknown_with_the_right(
    world: World, place: str, tmp_path: Path
) -> None:
    label = {"pod-security.kubernetes.io/enforce": "restricted"}
    world.cluster.request("PATCH", f"/api/v1/namespaces/{place}", {"metadata": {"labels": label}})
    name = unique("nobody")
    nobody = rights.kubeconfig_with_roles(world.cluster, world.source, name, {}, tmp_path)
    answer = told(world, nobody, place)
    states = {item["check"]: item for item in json.loads(answer.out)["items"]}
    assert answer.status == 4
    for check, right in (
        ("tekton parts", "list deployments.apps in all namespaces"),
        ("bundles", f"get configmaps in namespace {RESOLVERS}"),
        ("quotas", f"list resourcequotas in namespace {place}"),
        ("pod security", f"get namespaces in namespace {place}"),
        ("webhooks", "list mutatingwebhookconfigurations.admissionregistration.k8s.io"),
    ):
        assert states[check]["state"] == "unknown"
        assert f"the right to {right}" in states[check]["detail"]
        assert "the ClusterRole workflowexecution-doctor gives it" in states[check]["detail"]
