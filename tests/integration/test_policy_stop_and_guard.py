"""The policy on holds, clears and cancels: who made them is true, and not all may clear."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.executions import execution, unique, unique_target
from harness.holds import build_hold
from harness.objects import Objects
from harness.overlays import applied
from harness.rights import as_account
from harness.shipped_policies import bare_run, refusal, said_against
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object
from workflowexecution.api import identity
from workflowexecution.core.facts.execution import cancellation_of

CLEAR = "kubernaut.ai/clear-execution-block"
GROUP = "workflowexecution.kubernaut.ai"


@pytest.fixture(scope="module")
def world(bare_cluster: Cluster) -> Iterator[World]:
    with (
        open_world(bare_cluster, "--guard-failed", "--cooldown=0s") as opened,
        applied(bare_cluster, ["policy-stop-and-guard"]),
    ):
        eventually(lambda: _assert_in_force(opened))
        yield opened


def _assert_in_force(world: World) -> None:
    assert refusal(Objects(world.cluster, "workflowholds"), build_hold(world), dryRun="All")
    item = execution(unique_target(), namespace=world.source)
    item["metadata"]["annotations"] = {CLEAR: "somebody else"}
    assert refusal(world.executions, item, dryRun="All")


def account(world: World, *verbs: str) -> tuple[str, Cluster]:
    """Somebody with these verbs on executions, runs and holds: name and cluster."""
    kinds = {GROUP: ["workflowexecutions", "workflowholds"], "tekton.dev": ["pipelineruns"]}
    rules: list[dict[str, Any]] = [
        {"apiGroups": [group], "resources": names, "verbs": [*verbs]}
        for group, names in kinds.items()
    ]
    places = {world.source: rules, world.execution_namespace: rules}
    name = unique("person")
    who = as_account(world.cluster, world.source, name, places)
    return f"system:serviceaccount:{world.source}:{name}", who


def noted(said: str) -> Object:
    return {"metadata": {"annotations": {CLEAR: said}}}


def test_a_hold_says_who_made_it(world: World) -> None:
    name, person = account(world, "create")
    holds = Objects(person, "workflowholds")
    said = refusal(holds, build_hold(world))
    assert f"spec.heldBy: 'jane' is not who creates this hold; write '{name}'" in said
    assert refusal(holds, build_hold(world, heldBy=name), dryRun="All") == ""


@pytest.mark.parametrize("kind", ["workflowexecutions", "pipelineruns"])
def test_who_may_change_executions_may_not_clear_them(world: World, kind: str) -> None:
    item: Object
    if kind == "pipelineruns":
        item = world.tekton.runs.create(bare_run(world))
    else:
        item = world.create(unique_target())
    name, person = account(world, "create", "patch")
    objects = Objects(person, kind)
    said = said_against(lambda: objects.patch(item, noted(f"{name} looked")))
    assert f"{CLEAR} may not be changed by {name}; have the verb 'clear' on" in said
    objects.patch(item, {"metadata": {"annotations": {"note": "anything else"}}})

    clearer, other = account(world, "create", "patch", "clear")
    clears = Objects(other, kind)
    said = said_against(lambda: clears.patch(item, noted("jane looked")))
    assert f"has to begin with who clears, here {clearer}" in said
    clears.patch(item, noted(f"{clearer} at noon: looked"))
    # What others do to it later is none of this policy's business, unless they withdraw it.
    objects.patch(item, {"metadata": {"annotations": {"note": "another"}}})
    assert said_against(lambda: objects.patch(item, {"metadata": {"annotations": {CLEAR: None}}}))


def test_a_cancel_says_who_asked_for_it(world: World) -> None:
    run = world.tekton.runs.create(bare_run(world))
    name, person = account(world, "patch")
    runs = Objects(person, "pipelineruns")

    def cancelled(who: str, why: str = "wrong target") -> Object:
        notes = cancellation_of(who, datetime.now(UTC), why).annotations()
        return {"metadata": {"annotations": notes}, "spec": {"status": "Cancelled"}}

    said = said_against(lambda: runs.patch(run, cancelled("jane")))
    assert f"cancelled-by has to name who cancels, here {name}" in said
    runs.patch(run, cancelled(name))
    # Nobody else changes the reason, and what others write beside it is not asked.
    other, another = account(world, "patch")
    others = Objects(another, "pipelineruns")
    reason = {"metadata": {"annotations": {identity.CANCEL_REASON: "another"}}}
    assert f"here {other}" in said_against(lambda: others.patch(run, reason))
    others.patch(run, {"metadata": {"annotations": {"note": "anything else"}}})


def test_no_execution_is_created_as_one_that_is_cleared(world: World) -> None:
    name, person = account(world, "create", "patch")
    item = execution(unique_target(), namespace=world.source)
    item["metadata"]["annotations"] = {CLEAR: f"{name} looked"}
    assert "may not be changed" in refusal(Objects(person, "workflowexecutions"), item)


def test_the_operator_works_under_it(world: World, target: str) -> None:
    item, run = world.launched(target)
    world.tekton.fail(world.tekton.begin(run))
    world.ended(item, "Failed")
    assert world.ended(world.create(target), "Skipped")
