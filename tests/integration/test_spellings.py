"""Two spellings of one object, at a real API server."""

from __future__ import annotations

import pytest

from harness.executions import execution, unique, unique_target
from harness.objects import Objects
from harness.overlays import applied
from harness.shipped_policies import account, look_at, refusal
from harness.waiting import eventually
from harness.world import World
from workflowexecution.core import names


def lower(target: str) -> str:
    """The same object, with its kind in lower case."""
    return target.replace("/Deployment/", "/deployment/")


def test_the_second_spelling_is_skipped_and_names_the_first(world: World) -> None:
    target = unique_target()
    first, _ = world.launched(target)
    second = world.ended(world.create(lower(target)), "Skipped")

    details = second["status"]["skipDetails"]
    assert details["reason"] == "ResourceBusy"
    assert details["conflictingWorkflow"]["name"] == first["metadata"]["name"]
    assert details["conflictingWorkflow"]["targetResource"] == target
    assert second["spec"]["targetResource"] == lower(target)


def test_a_run_of_an_earlier_version_holds_every_spelling(world: World) -> None:
    target = unique_target()
    run = {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {
            "name": f"{names.former_target_key(lower(target))}-1",
            "namespace": world.execution_namespace,
            "annotations": {names.KEY_TARGET: lower(target)},
        },
        "spec": {"pipelineRef": {"name": "none"}},
    }
    world.tekton.runs.create(run)

    skipped = world.ended(world.create(target), "Skipped")

    assert skipped["status"]["skipDetails"]["reason"] == "ResourceBusy"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("Deployment", ""),
        ("deployment", "kind 'deployment' is written Deployment; write payment/Deployment/"),
        ("deployments", "kind 'deployments' is written Deployment; write payment/Deployment/"),
        ("ingresses", "is written Ingress"),
        ("networkpolicies", "is written NetworkPolicy"),
        ("Rollout", ""),
        ("rollouts", ""),
    ],
)
def test_the_policy_refuses_other_forms_of_the_kinds_of_kubernetes(
    world: World, kind: str, said: str
) -> None:
    creator = Objects(account(world, unique("creator")), "workflowexecutions")

    def attempt(written: str) -> str:
        item = execution(unique_target(written), namespace=world.source)
        return refusal(creator, item, dryRun="All")

    def assert_in_force() -> None:
        assert attempt("pods")

    with applied(world.cluster, ("policy-target-kinds",), [look_at("target-kinds", world.source)]):
        eventually(assert_in_force)
        found = attempt(kind)
    assert said in found if said else not found
