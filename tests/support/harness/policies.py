"""The obstacles that administrators create for runs: admission policies and quotas."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.executions import unique
from harness.waiting import eventually
from harness.world import World
from localcluster.cluster import ApiError, Object

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
REFUSAL = "not in this namespace"


@contextmanager
def admission_policy(world: World, forbidden: str, says: str = f"'{REFUSAL}'") -> Iterator[None]:
    """Refuse runs for which this CEL expression is true, in the world's execution namespace.

    `says` is the CEL expression of the message.
    """
    name = unique("policy")
    rule = {
        "apiGroups": ["tekton.dev"],
        "apiVersions": ["v1"],
        "resources": ["pipelineruns"],
        "operations": ["CREATE"],
    }
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": f"!({forbidden})", "messageExpression": says}],
        },
    }
    label = {"kubernetes.io/metadata.name": world.execution_namespace}
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": label}},
        },
    }
    policies = f"{ADMISSION}/validatingadmissionpolicies"
    bindings = f"{ADMISSION}/validatingadmissionpolicybindings"
    world.cluster.request("POST", policies, policy)
    world.cluster.request("POST", bindings, binding)
    try:
        eventually(
            lambda: _assert_refused(world, {"params": [{"name": "FORBIDDEN_HERE", "value": ""}]})
        )
        yield
    finally:
        world.cluster.request("DELETE", f"{bindings}/{name}")
        world.cluster.request("DELETE", f"{policies}/{name}")


@contextmanager
def quota(world: World, runs: int) -> Iterator[None]:
    """Allow no more than so many runs in the world's execution namespace."""
    path = f"/api/v1/namespaces/{world.execution_namespace}/resourcequotas"
    hard = {"count/pipelineruns.tekton.dev": str(runs)}
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "runs"}}
    world.cluster.request("POST", path, {**body, "spec": {"hard": hard}})
    try:
        # Counted here: the controller takes its time until it knows the kind, and before that runs
        # are refused for another reason.
        counted = {"hard": hard, "used": hard}
        world.cluster.request("PATCH", f"{path}/runs/status", {"status": counted})
        eventually(lambda: _assert_refused(world, {}, "exceeded quota"))
        yield
    finally:
        world.cluster.request("DELETE", f"{path}/runs")


def _assert_refused(world: World, spec: Object, why: str = "") -> None:
    """Such a run is refused now: policies and quotas take a moment to be in force."""
    run = {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": unique("probe"), "namespace": world.execution_namespace},
        "spec": {"pipelineRef": {"name": "none"}, "params": [], **spec},
    }
    try:
        world.tekton.runs.create(run, dryRun="All")
    except ApiError as error:
        assert error.code in (403, 422), error  # noqa: PT017 (which refusal is what matters)
        assert why in str(error)  # noqa: PT017
        return
    raise AssertionError("it is not refused yet")
