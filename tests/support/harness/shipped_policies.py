"""The admission policies that manifests/ ship, in force for a world, and what they say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from harness.executions import execution, unique, unique_target
from harness.objects import Objects
from harness.overlays import applied
from harness.rights import as_account
from harness.waiting import eventually
from harness.world import World
from localcluster.cluster import ApiError, Cluster, Object
from workflowexecution.core import names

COMPONENTS = (
    "policy-bundle-sources",
    "policy-target-namespaces",
    "policy-operator-writes",
    "policy-service-accounts",
    "runner-cluster-wide",
)
_API = "admissionregistration.k8s.io"
_POLICY = "ValidatingAdmissionPolicy"
_EXECUTIONS = {
    "apiGroups": ["workflowexecution.kubernaut.ai"],
    "resources": ["workflowexecutions", "workflowexecutions/status"],
    "verbs": ["*"],
}
_RUNS = {"apiGroups": ["tekton.dev"], "resources": ["pipelineruns"], "verbs": ["*"]}


@contextmanager
def in_force(
    world: World, sources: Sequence[str], targets: Sequence[str], *, requires_digest: bool = False
) -> Iterator[None]:
    """Have all policies in force in a world's namespaces for the block.

    `sources` are registries that bundles may come from, `targets` what executions in the world's
    first namespace may target; those in the second one may target that namespace alone.
    """
    looks_at = ("bundle-sources", "target-namespaces", "status", "service-accounts")
    patches = [
        _set_variable("bundle-sources", 0, _cel(sources)),
        _set_variable("bundle-sources", 1, _cel(requires_digest)),
        _set_variable("target-namespaces", 0, _cel({world.source: targets})),
        *(look_at(name, *world.sources) for name in looks_at),
        look_at("deletes", *world.sources, world.execution_namespace),
        look_at("runs", world.execution_namespace),
        look_at("deletes-of-runs", world.execution_namespace),
    ]
    with applied(world.cluster, COMPONENTS, patches):
        probe = Objects(account(world, unique("probe")), "workflowexecutions")
        eventually(lambda: _assert_in_force(world, probe))
        yield


@contextmanager
def changed(world: World, policy: str, index: int, value: object) -> Iterator[None]:
    """Have another value in a policy for the block; whoever asks has to wait until it counts."""
    path = f"/apis/{_API}/v1/validatingadmissionpolicies/workflowexecution-{policy}"
    place = f"/spec/variables/{index}/expression"

    def write(expression: str) -> None:
        patch: Any = [{"op": "replace", "path": place, "value": expression}]
        world.cluster.request("PATCH", path, patch, "application/json-patch+json")

    before = world.cluster.request("GET", path)["spec"]["variables"][index]["expression"]
    write(_cel(value))
    try:
        yield
    finally:
        write(before)


def account(world: World, name: str, *more: Object) -> Cluster:
    """The cluster as somebody sees it who may do everything with executions, status and runs.

    `more` are rules in the namespace kubernaut-workflows.
    """
    everywhere = {namespace: [_EXECUTIONS] for namespace in world.sources}
    grants = {**everywhere, world.execution_namespace: [_RUNS], "kubernaut-workflows": [*more]}
    return as_account(world.cluster, world.source, name, grants)


def reference(image: str, digest: str = "") -> Object:
    """A workflowRef."""
    plain = {"workflowId": "restart", "version": "v1", "containerImage": image}
    return {**plain, "containerDigest": digest} if digest else plain


def execution_in(world: World, namespace: str = "", **spec: Any) -> Object:
    """An execution, in the world's first namespace unless another is named."""
    target = spec.pop("targetResource", unique_target())
    return execution(target, namespace=namespace or world.source, **spec)


def bare_run(world: World, **meta: Any) -> Object:
    """A run that somebody makes by hand, in the execution namespace."""
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": unique("mine"), "namespace": world.execution_namespace, **meta},
        "spec": {"pipelineRef": {"name": "none"}},
    }


def refusal(kind: Objects, item: Object, **query: str) -> str:
    """The refusal of a create; empty where it is accepted."""
    return said_against(lambda: kind.create(item, **query))


def said_against(deed: Callable[[], object]) -> str:
    """The refusal of a request; empty where it is accepted."""
    try:
        deed()
    except ApiError as error:
        assert error.code in (403, 422), error  # noqa: PT017 (which refusal is what matters)
        return str(json.loads(str(error).partition(": ")[2])["message"])
    return ""


def _assert_in_force(world: World, probe: Objects) -> None:
    """Policies take a moment: each is in force when it refuses what no other one refuses."""
    good = {"workflowRef": reference("registry.example/restart:v1")}
    for spec in (
        {"workflowRef": reference("elsewhere.example/restart:v1")},
        {**good, "targetResource": "kube-system/Deployment/dns"},
        {**good, "executionConfig": {"serviceAccountName": "drainer"}},
    ):
        assert refusal(probe, execution_in(world, **spec), dryRun="All")
    run = bare_run(world, labels={names.KEY_EXECUTION_UID: "x"})
    assert refusal(world.tekton.runs, run, dryRun="All")


def _set_variable(policy: str, index: int, expression: str) -> Object:
    """Set what a policy lets be set, as its kustomization says."""
    path = f"/spec/variables/{index}/expression"
    return {
        "target": {"kind": _POLICY, "name": f"workflowexecution-{policy}"},
        "patch": json.dumps([{"op": "replace", "path": path, "value": expression}]),
    }


def look_at(name: str, *namespaces: str) -> Object:
    """Have a policy look at these namespaces only: others test in the same cluster."""
    where = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [*namespaces]}
    selector = {"matchLabels": None, "matchExpressions": [where]}
    body = {
        "apiVersion": f"{_API}/v1",
        "kind": f"{_POLICY}Binding",
        "metadata": {"name": f"workflowexecution-{name}"},
        "spec": {"matchResources": {"namespaceSelector": selector}},
    }
    return {"patch": json.dumps(body)}


def _cel(value: object) -> str:
    """A value as CEL writes it, which is how JSON does."""
    return json.dumps(value)
