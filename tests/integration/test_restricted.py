"""overlays/restricted as it is shipped, attacked by somebody who has the cluster's role `edit`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from harness import rights
from harness.executions import execution, name_of, unique
from harness.kubectl import kubectl
from harness.objects import Objects
from harness.overlays import render
from harness.shipped_policies import look_at, reference, refusal, said_against
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import MERGE, Object
from localcluster.overlays import MANIFESTS, overlay

CLEAR = "kubernaut.ai/clear-execution-block"
NOTE = {"metadata": {"annotations": {CLEAR: "admin at 2026-01-01T00:00:00Z: looked at it"}}}
BUNDLE = reference(f"registry.example.com/kubernaut/restart@sha256:{'a' * 64}")
ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/workflowexecution-orchestrator"
OF_EXECUTIONS = (
    "bundle-sources",
    "target-namespaces",
    "service-accounts",
    "status",
    "deletes",
    "clears",
    "holds",
)
OF_RUNS = ("runs", "deletes-of-runs")
ADDED = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")


@pytest.fixture(scope="module")
def world(bare_cluster: Cluster) -> Iterator[World]:
    """An operator with the guard against failures, under all that the overlay confines with."""
    with open_world(bare_cluster, "--guard-failed", "--cooldown=0s") as opened, confined(opened):
        yield opened


@contextmanager
def confined(world: World) -> Iterator[None]:
    """Have the overlay's policies and roles in the cluster, with its eyes on this world alone."""
    both = (*world.sources, world.execution_namespace)
    patches = [look_at(name, *both) for name in OF_EXECUTIONS]
    patches += [look_at(name, world.execution_namespace) for name in OF_RUNS]
    with overlay(resources=["overlays/restricted"], patches=patches) as folder:
        shipped = render(world.cluster, folder)
    policies = [item for item in shipped if item["kind"] in ADDED]
    roles = [item for item in shipped if item["kind"] == "ClusterRole"]
    text = yaml.safe_dump_all(policies)
    how = ("apply", "--server-side", "--force-conflicts", "-f", "-")
    try:
        done = kubectl(world.cluster, *how, feed=yaml.safe_dump_all([*policies, *roles]))
        assert done.returncode == 0, done.stderr
        yield
    finally:
        kubectl(world.cluster, "delete", "--ignore-not-found", "-f", "-", feed=text)
        mine = {
            f"rbac.authorization.k8s.io/aggregate-to-{role}": None for role in ("edit", "admin")
        }
        world.cluster.request("PATCH", ROLE, {"metadata": {"labels": mine}}, MERGE)


@pytest.fixture(scope="module")
def eve(world: World) -> Cluster:
    """Somebody with `edit` in the namespace of executions, once that lets her create some."""
    who = rights.with_roles(world.cluster, world.source, unique("eve"), {"edit": world.source})

    def may_create_and_is_confined() -> None:
        item = wanted(world, workflowRef=reference("elsewhere.example/restart:v1"))
        assert "is not from a registry" in refusal(of(who), item, dryRun="All")
        cleared = {**wanted(world)}
        cleared["metadata"] |= NOTE["metadata"]
        assert refusal(of(who), cleared, dryRun="All")
        assert refusal(of(who), wanted(world), dryRun="All") == ""

    eventually(may_create_and_is_confined, 60)
    return who


def of(who: Cluster) -> Objects:
    return Objects(who, "workflowexecutions")


def wanted(world: World, **spec: Any) -> Object:
    """An execution of hers that nothing is said against, unless the spec is another one."""
    target = spec.pop("targetResource", f"{world.source}/Deployment/{unique('app')}")
    return execution(target, namespace=world.source, **{"workflowRef": BUNDLE, **spec})


def test_an_editor_lifts_no_guard(world: World, eve: Cluster) -> None:
    item = of(eve).create(wanted(world))
    run = world.tekton.begin(world.run_of(item))
    world.tekton.fail(run)
    item = world.ended(item, "Failed")
    target = item["spec"]["targetResource"]

    said = said_against(lambda: of(eve).patch(item, NOTE))

    assert f"{CLEAR} may not be changed by system:serviceaccount:{world.source}:eve" in said
    cleared = wanted(world, targetResource=target)
    cleared["metadata"] |= NOTE["metadata"]
    assert "may not be changed" in refusal(of(eve), cleared)
    assert "cannot patch" in said_against(lambda: Objects(eve, "pipelineruns").patch(run, NOTE))
    # To delete what has failed lifts it no more: the run remembers.
    of(eve).delete(item)
    world.gone(item)
    skipped = world.ended(of(eve).create(wanted(world, targetResource=target)), "Skipped")
    details = skipped["status"]["skipDetails"]
    assert details["reason"] == "PreviousExecutionFailed"
    assert details["recentRemediation"]["name"] == name_of(item)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"workflowRef": reference("elsewhere.example/restart:v1")}, "is not from a registry"),
        ({"workflowRef": reference("registry.example.com/kubernaut/a:v1")}, "has no digest"),
        ({"targetResource": "kube-system/Deployment/dns"}, "may not be targeted from namespace"),
        ({"targetResource": "Node/worker"}, "may not be targeted from namespace"),
        ({"executionConfig": {"serviceAccountName": "admin"}}, "may not be named by"),
    ],
)
def test_an_editor_reaches_no_further_than_the_namespace(
    world: World, eve: Cluster, spec: dict[str, Any], said: str
) -> None:
    # Each policy counts some moments after it was made, and not at the same one as another.
    def is_refused() -> None:
        assert said in refusal(of(eve), wanted(world, **spec), dryRun="All")

    eventually(is_refused)


def test_an_editor_writes_nothing_that_is_the_operators(world: World, eve: Cluster) -> None:
    item = of(eve).create(wanted(world))
    phase = {"status": {"phase": "Completed"}}
    assert "cannot patch" in said_against(lambda: of(eve).patch(item, phase, "status"))
    run = world.run_of(item)
    for body in ({"spec": {"status": "Cancelled"}}, {"metadata": {"labels": {"a": "b"}}}):
        assert "cannot patch" in said_against(
            lambda this=body: Objects(eve, "pipelineruns").patch(run, this)  # type: ignore[misc]
        )


def test_every_policy_that_there_is_confines_here() -> None:
    shipped = yaml.safe_load((MANIFESTS / "overlays/restricted/kustomization.yaml").read_text())
    chosen = {part.rpartition("/")[2] for part in shipped["components"]}
    there = {path.name for path in MANIFESTS.glob("components/policy-*")}
    assert there <= chosen
    told = (MANIFESTS.parent / "docs/security.md").read_text()
    assert [name for name in there if f"| `{name}` |" not in told] == []
