"""To patch is not to delete: no owner and no finalizer from whoever may not delete.

The garbage collector deletes what is owned by nothing that exists, and a finalizer keeps what is to
go. Each attack is made by an account that has what manifests/ ship, and no more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness import rights, story
from harness.executions import name_of, unique, unique_target
from harness.holds import build_hold
from harness.objects import Objects, path_of
from harness.overlays import applied
from harness.shipped_policies import bare_run, look_at, refusal, said_against
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import MERGE, Object

NOBODY = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "name": "nope",
    "uid": "00000000-0000-0000-0000-000000000001",
}
RUNS, EXECUTIONS, HOLDS = "pipelineruns", "workflowexecutions", "workflowholds"
MAY_PATCH = {"workflowexecution-canceller": [RUNS], "workflowexecution-clearer": [RUNS, EXECUTIONS]}
SAID = "takes the right to delete it"


@pytest.fixture(scope="module")
def world(bare_cluster: Cluster) -> Iterator[World]:
    """An operator at work under the policies on what only it writes."""
    with open_world(bare_cluster, *story.FLAGS) as opened:
        patches = [
            look_at("status", *opened.sources),
            look_at("deletes", *opened.sources, opened.execution_namespace),
            look_at("runs", opened.execution_namespace),
            look_at("deletes-of-runs", opened.execution_namespace),
        ]
        with applied(bare_cluster, ["policy-operator-writes"], patches):
            run = bare_run(opened, labels={"kubernaut.ai/workflow-execution-uid": "x"})
            eventually(lambda: _assert_refused(refusal(opened.tekton.runs, run, dryRun="All")))
            for kind in (RUNS, EXECUTIONS):
                item, who = made(opened, kind), patcher(opened, kind)
                eventually(lambda by=who, to=item: _assert_refused(dry(by, to)))  # type: ignore[misc]
            yield opened


def _assert_refused(said: str) -> None:
    assert said


def dry(who: Cluster, item: Object) -> str:
    """The refusal of an owner that does not exist, in a dry run."""
    patch = {"metadata": {"ownerReferences": [NOBODY]}}
    return said_against(lambda: who.request("PATCH", f"{path_to(item)}?dryRun=All", patch))


def patcher(world: World, *kinds: str) -> Cluster:
    """Somebody who may read and patch these kinds, and nothing else."""
    groups = {RUNS: "tekton.dev", EXECUTIONS: "workflowexecution.kubernaut.ai"}
    rules = [
        {
            "apiGroups": [groups.get(kind, groups[EXECUTIONS])],
            "resources": [kind, f"{kind}/status"],
            "verbs": ["get", "patch", "update"],
        }
        for kind in kinds
    ]
    places = {world.source: rules, world.execution_namespace: rules}
    return rights.as_account(world.cluster, world.source, unique("patcher"), places)


def made(world: World, kind: str) -> Object:
    """A new object of this kind."""
    if kind == EXECUTIONS:
        return world.create(unique_target())
    if kind == HOLDS:
        return Objects(world.cluster, HOLDS).create(build_hold(world, workflowId=unique("other")))
    run = bare_run(world)
    run["spec"]["params"] = [{"name": "TARGET_RESOURCE", "value": unique_target()}]
    return world.tekton.runs.create(run)


def kind_of(item: Object) -> str:
    return f"{item['kind'].lower()}s"


def owned(who: Cluster, item: Object, **reference: Any) -> None:
    """Give it an owner that does not exist."""
    owner = {**NOBODY, **reference}
    Objects(who, kind_of(item)).patch(item, {"metadata": {"ownerReferences": [owner]}})


def kept(who: Cluster, item: Object) -> None:
    """Give it a finalizer that nobody will ever take off."""
    patch = {"metadata": {"finalizers": ["example.com/never"]}}
    Objects(who, kind_of(item)).patch(item, patch)


def by_json_patch(who: Cluster, item: Object) -> None:
    operations: Any = [{"op": "add", "path": "/metadata/ownerReferences", "value": [NOBODY]}]
    who.request("PATCH", path_to(item), operations, "application/json-patch+json")


def by_server_side_apply(who: Cluster, item: Object) -> None:
    meta = {"name": name_of(item), "ownerReferences": [NOBODY]}
    body = {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": meta}
    path = f"{path_to(item)}?fieldManager=eve&force=true"
    who.request("PATCH", path, body, "application/apply-patch+yaml")


def by_update(who: Cluster, item: Object) -> None:
    found = who.request("GET", path_to(item))
    found["metadata"]["ownerReferences"] = [NOBODY]
    who.request("PUT", path_to(item), found, "application/json")


def path_to(item: Object) -> str:
    return path_of(kind_of(item), item["metadata"]["namespace"], name_of(item))


ATTACKS: dict[str, Callable[[Cluster, Object], None]] = {
    "merge-patch": owned,
    "json-patch": by_json_patch,
    "server-side-apply": by_server_side_apply,
    "update": by_update,
    "finalizer": kept,
}


@pytest.mark.parametrize("kind", [RUNS, EXECUTIONS, HOLDS])
@pytest.mark.parametrize("attack", ATTACKS)
def test_who_may_patch_ends_nothing_and_keeps_nothing(world: World, kind: str, attack: str) -> None:
    item, who = made(world, kind), patcher(world, kind)

    said = said_against(lambda: ATTACKS[attack](who, item))

    assert SAID in said
    meta = Objects(world.cluster, kind).get(item["metadata"]["namespace"], name_of(item))
    assert meta is not None
    assert not {"ownerReferences", "finalizers"} & meta["metadata"].keys()


@pytest.mark.parametrize("role", MAY_PATCH)
def test_the_shipped_roles_to_patch_are_not_roles_to_delete(
    world: World, role: str, target: str
) -> None:
    item, run = world.launched(target)
    places = {role: world.execution_namespace}
    carol = rights.with_roles(world.cluster, world.source, unique("carol"), places)
    assert "cannot delete" in said_against(lambda: carol.request("DELETE", path_to(run)))
    assert SAID in said_against(lambda: owned(carol, run))
    assert SAID in said_against(lambda: kept(carol, run))
    if EXECUTIONS in MAY_PATCH[role]:
        dave = rights.with_roles(world.cluster, world.source, unique("dave"), {role: world.source})
        assert "cannot delete" in said_against(lambda: dave.request("DELETE", path_to(item)))
        assert SAID in said_against(lambda: owned(dave, item))
    # What the role is for goes on.
    Objects(carol, RUNS).patch(run, {"spec": {"status": "Cancelled"}})


def test_a_stolen_token_of_the_operator_deletes_no_execution(world: World, target: str) -> None:
    item, run = world.launched(target)
    thief = rights.as_operator(world.cluster)
    assert "cannot delete" in said_against(lambda: thief.request("DELETE", path_to(item)))
    for attack in (owned, kept, by_json_patch):
        assert SAID in said_against(lambda by=attack: by(thief, item))  # type: ignore[misc]
    # Beside the status, which it writes, nothing comes along.
    both = {"metadata": {"ownerReferences": [NOBODY], "finalizers": ["a.b/c"]}, "status": {}}
    meta = Objects(thief, EXECUTIONS).patch(item, both, "status")["metadata"]
    assert not {"ownerReferences", "finalizers"} & meta.keys()
    # Runs it may delete, and so it may do this, too.
    owned(thief, run)


def test_an_earlier_version_of_a_run_is_no_way_round(world: World) -> None:
    run, who = made(world, RUNS), patcher(world, RUNS)
    path = path_to(run).replace("/v1/", "/v1beta1/")
    assert who.request("GET", path)["apiVersion"] == "tekton.dev/v1beta1"
    for patch in ({"ownerReferences": [NOBODY]}, {"finalizers": ["a.b/c"]}):
        body = {"metadata": patch}
        assert SAID in said_against(lambda this=body: who.request("PATCH", path, this, MERGE))  # type: ignore[misc]
    labelled = {"metadata": {"labels": {"kubernaut.ai/target-hash": "0123456789abcdef"}}}
    assert "set by the workflow operator only" in said_against(
        lambda: who.request("PATCH", path, labelled, MERGE)
    )


def test_an_owner_that_is_there_is_not_turned_into_one_that_is_not(
    world: World, target: str
) -> None:
    owner = world.create(unique_target())
    reference = {key: owner[key] for key in ("apiVersion", "kind")}
    reference |= {key: owner["metadata"][key] for key in ("name", "uid")}
    item, who = world.create(target), patcher(world, EXECUTIONS)
    owned(world.cluster, item, **reference)
    for changed in ({"name": "nope"}, {"kind": "ConfigMap"}, {"apiVersion": "v1"}, {"uid": "1-2"}):
        said = said_against(lambda by=changed: owned(who, item, **{**reference, **by}))  # type: ignore[misc]
        assert SAID in said, changed
    # As the garbage collector does where the owner goes first, and where it goes alone.
    owned(who, item, **reference, blockOwnerDeletion=False)
    Objects(who, EXECUTIONS).patch(item, {"metadata": {"ownerReferences": None}})


def test_who_may_delete_may_do_it_this_way(world: World) -> None:
    """So do Tekton's controllers, and so does the owner of an execution, which may be older."""
    rules = [{"apiGroups": ["*"], "resources": [RUNS, EXECUTIONS], "verbs": ["patch", "delete"]}]
    places = {world.source: rules, world.execution_namespace: rules}
    who = rights.as_account(world.cluster, world.source, unique("deletes"), places)
    for kind in (RUNS, EXECUTIONS):
        item = made(world, kind)
        kept(who, item)
        Objects(who, kind).patch(item, {"metadata": {"finalizers": None}})
        owned(who, item)

        def is_gone(kind: str = kind, item: Object = item) -> None:
            found = Objects(world.cluster, kind).get(item["metadata"]["namespace"], name_of(item))
            assert found is None, json.dumps(found["metadata"])

        eventually(is_gone, 90)


def test_a_run_in_another_namespace_is_none_of_its_business(world: World) -> None:
    run = bare_run(world)
    run["metadata"]["namespace"] = world.sources[1]
    run = world.tekton.runs.create(run)
    rules = [{"apiGroups": ["tekton.dev"], "resources": [RUNS], "verbs": ["patch"]}]
    places = {world.sources[1]: rules}
    who = rights.as_account(world.cluster, world.source, unique("elsewhere"), places)
    kept(who, run)
    Objects(world.cluster, RUNS).patch(run, {"metadata": {"finalizers": None}})


def test_the_operator_works_under_it(world: World, target: str) -> None:
    began_at = world.proxy.mark()
    story.play(world, target)
    assert not [one.kind for one in world.proxy.since(began_at) if one.status in (403, 422)]
