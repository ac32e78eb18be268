"""One installation serves a namespace, by a claim; all others leave its executions alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from harness import faults, rights
from harness.executions import phase_of, unique, unique_target
from harness.faults import Fault
from harness.objects import Objects, create_namespace, delete_namespace
from harness.process import OperatorProcess
from harness.proxy import Proxy
from harness.waiting import eventually, holds_for
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import ApiError, Object
from workflowexecution.api import identity
from workflowexecution.core.policy import EVERYWHERE

LEFT = "workflowexecution_namespaces_left"
# From an execution to its run it takes milliseconds.
SEEN_S = 1.5
EVERY_NAMESPACE = "--watch-namespaces="


@pytest.fixture
def claims(bare_cluster: Cluster) -> Iterator[Objects]:
    """The claims of the cluster; of all namespaces together none is left behind."""
    found = Objects(bare_cluster, identity.CLAIM_PLURAL)
    yield found
    if claim := found.get(EVERYWHERE, identity.CLAIM_NAME):
        found.delete(claim)


@contextmanager
def installation(
    world: World, namespace: str, *flags: str, ready: bool = True
) -> Iterator[OperatorProcess]:
    """An operator with another execution namespace, which exists as long as the block."""
    create_namespace(world.cluster, namespace)
    rights.extend_to(world.cluster, namespace)
    operator = world.new_operator(
        world.cluster.server, f"--execution-namespace={namespace}", *flags
    )
    operator.start(wait=ready)
    try:
        yield operator
        if operator.is_running:
            operator.stop()
    finally:
        delete_namespace(world.cluster, namespace)


def claim(namespace: str, execution_namespace: str) -> Object:
    return {
        "apiVersion": identity.API_VERSION,
        "kind": identity.CLAIM_KIND,
        "metadata": {"name": identity.CLAIM_NAME, "namespace": namespace},
        "spec": {"executionNamespace": execution_namespace},
    }


def holder_of(claims: Objects, namespace: str) -> str:
    found = claims.get(namespace, identity.CLAIM_NAME)
    return str(found["spec"]["executionNamespace"]) if found else ""


def until_claimed(claims: Objects, namespace: str, by: str) -> None:
    def check() -> None:
        assert holder_of(claims, namespace) == by

    eventually(check)


def until_it_says(operator: OperatorProcess, *words: str) -> None:
    def check() -> None:
        status, text = operator.ask("/readyz")
        assert (status, [word for word in words if word not in text]) == (503, []), text

    eventually(check, dump=operator.log_tail)


def until_well(operator: OperatorProcess) -> None:
    def check() -> None:
        assert operator.ask("/readyz") == (200, "ok")

    eventually(check, dump=operator.log_tail)


def stays_unseen(world: World, item: Object) -> None:
    def check() -> None:
        assert not phase_of(world.read(item))

    holds_for(check, SEEN_S)


def test_all_namespaces_are_served_by_one_installation(
    bare_cluster: Cluster, claims: Objects
) -> None:
    """Also where no execution has come yet, the second one says so when it starts."""
    theirs = unique("their-runs")
    with open_world(bare_cluster, EVERY_NAMESPACE) as world:
        ours = world.execution_namespace
        until_claimed(claims, EVERYWHERE, ours)
        with installation(world, theirs, ready=False) as second:
            until_it_says(second, "all namespaces", ours)
            assert second.metric(LEFT) >= 1
            item, _ = world.launched(unique_target())
            assert holder_of(claims, world.source) == ours
            assert [run["metadata"]["namespace"] for run in world.runs_of(item)] == [ours]
            assert world.tekton.runs.list(theirs) == []


def test_who_serves_all_leaves_a_namespace_to_whoever_has_claimed_it(
    bare_cluster: Cluster, claims: Objects
) -> None:
    theirs = unique("their-runs")
    with open_world(bare_cluster, EVERY_NAMESPACE) as world:
        special, usual = world.sources
        with installation(world, theirs, f"--watch-namespaces={special}") as second:
            until_claimed(claims, special, theirs)
            left, ours = (
                world.create(unique_target()),
                world.create(unique_target(), namespace=usual),
            )
            world.in_phase(left, "Running")
            world.in_phase(ours, "Running")
            assert world.runs_of(left) == []
            assert len(world.runs_of(ours)) == 1
            assert len(world.tekton.runs.list(theirs)) == 1
            until_well(second)
            # It was not asked for this namespace by name.
            until_well(world.operator)
            assert world.operator.metric(LEFT) >= 1
            assert "claimed by another installation" in world.operator.log_text()


def test_whoever_has_the_same_execution_namespace_has_the_same_claim(
    bare_cluster: Cluster, claims: Objects
) -> None:
    """Replicas, shards, and operators for different namespaces: the runs are their lock."""
    with open_world(bare_cluster, started=False) as world:
        first, second = (
            world.new_operator(world.cluster.server, f"--watch-namespaces={source}")
            for source in world.sources
        )
        third = world.new_operator(world.cluster.server, "--shard=1/1")
        for operator in (first, second, third):
            operator.start()
        target = unique_target()
        world.launched(target)
        skipped = world.ended(world.create(target, namespace=world.sources[1]), "Skipped")
        assert skipped["status"]["skipDetails"]["reason"] == "ResourceBusy"
        for source in world.sources:
            until_claimed(claims, source, world.execution_namespace)
        for operator in (first, second, third):
            until_well(operator)
            operator.stop()


def test_a_successor_with_the_same_execution_namespace_waits_for_nothing(
    bare_cluster: Cluster, claims: Objects
) -> None:
    with open_world(bare_cluster) as world:
        world.launched(unique_target())
        world.operator.kill()
        successor = world.new_operator(world.cluster.server)
        successor.start()
        world.launched(unique_target())
        successor.stop()


def test_a_namespace_goes_to_another_installation_when_its_claim_is_deleted(
    bare_cluster: Cluster, claims: Objects
) -> None:
    """The documented way to another execution namespace: stop one, delete its claims."""
    theirs = unique("their-runs")
    with open_world(bare_cluster) as world:
        running, run = world.launched(unique_target())
        world.operator.stop()
        with installation(world, theirs, ready=False) as second:
            until_it_says(second, world.source, world.execution_namespace)
            waiting = world.create(unique_target())
            stays_unseen(world, waiting)
            for source in world.sources:
                until_claimed(claims, source, world.execution_namespace)
                claims.delete(claim(source, ""))
            until_well(second)
            assert world.in_phase(waiting, "Running")["status"]["pipelineRunRef"]["namespace"] == (
                theirs
            )
            # What the one before has launched is followed where it is.
            world.tekton.begin(run)
            world.tekton.succeed(run)
            world.ended(running, "Completed")
            assert len(world.tekton.runs.list(theirs)) == 1
            assert second.metric(LEFT) == 0


def test_a_claim_that_is_deleted_by_mistake_is_created_again(
    bare_cluster: Cluster, claims: Objects
) -> None:
    with open_world(bare_cluster) as world:
        until_claimed(claims, world.source, world.execution_namespace)
        claims.delete(claim(world.source, ""))
        until_claimed(claims, world.source, world.execution_namespace)
        world.launched(unique_target())


def test_who_stands_by_claims_nothing(bare_cluster: Cluster, claims: Objects) -> None:
    election = "--leader-election"
    with open_world(bare_cluster, election) as world:
        until_claimed(claims, world.source, world.execution_namespace)
        proxy = Proxy(world.cluster)
        standby = world.new_operator(proxy.url)
        standby.start()
        assert [one.kind for one in proxy.since() if one.is_write] == []
        standby.stop()
        proxy.close()


def test_what_is_launched_of_a_namespace_is_claimed_once(
    bare_cluster: Cluster, claims: Objects
) -> None:
    """A claim is one request in the life of a namespace, however much comes at once."""
    with open_world(bare_cluster, EVERY_NAMESPACE) as world:
        until_claimed(claims, EVERYWHERE, world.execution_namespace)
        before = world.proxy.mark()
        items = [world.create(unique_target()) for _ in range(10)]
        for item in items:
            world.in_phase(item, "Running")
        asked = [one.kind for one in world.proxy.since(before)]
        assert asked.count("create workflowclaims") == 1
        assert asked.count("list workflowclaims") == 0
        world.operator.kill()
        before = world.proxy.mark()
        world.operator.start()
        world.launched(unique_target())
        asked = [one.kind for one in world.proxy.since(before)]
        assert asked.count("create workflowclaims") == 0


def test_of_two_runs_the_one_that_the_status_names_goes_on(
    bare_cluster: Cluster, claims: Objects
) -> None:
    """An operator that knows no claims was first: ours is cancelled, and theirs is let alone."""
    theirs = unique("their-runs")
    with open_world(bare_cluster) as world:
        create_namespace(bare_cluster, theirs)
        rights.extend_to(bare_cluster, theirs)
        item, ours = world.launched(unique_target())
        copied = {key: ours[key] for key in ("apiVersion", "kind", "spec")}
        kept = {key: ours["metadata"][key] for key in ("name", "labels", "annotations")}
        other = world.tekton.runs.create({**copied, "metadata": {**kept, "namespace": theirs}})
        world.tekton.begin(other)
        named = {"status": {"pipelineRunRef": {"name": kept["name"], "namespace": theirs}}}
        world.executions.patch(item, named, "status")

        def only_ours_is_cancelled() -> None:
            now = world.run_now(ours)
            assert now is not None
            assert now["spec"].get("status") == "Cancelled"

        eventually(only_ours_is_cancelled, dump=world.dump)
        found = world.tekton.runs.get(theirs, kept["name"])
        assert found is not None
        assert "status" not in found["spec"]
        world.tekton.obey_cancel(ours)
        world.tekton.succeed(found)
        ended = world.ended(item, "Completed")
        assert ended["status"]["pipelineRunRef"]["namespace"] == theirs
        delete_namespace(bare_cluster, theirs)


def test_a_claim_is_one_for_a_namespace_and_is_not_changed(
    bare_cluster: Cluster, claims: Objects
) -> None:
    namespace = unique("claimed")
    create_namespace(bare_cluster, namespace)
    made = claims.create(claim(namespace, "runs"))
    other_name = {**claim(namespace, "runs")}
    other_name["metadata"] = {"name": "another", "namespace": namespace}
    changed = refusal(lambda: claims.patch(made, {"spec": {"executionNamespace": "other"}}))
    named = refusal(lambda: claims.create(other_name))
    claims.delete(made)
    odd = refusal(lambda: claims.create(claim(namespace, "Not_A_Namespace")))
    delete_namespace(bare_cluster, namespace)
    assert "a claim is not changed" in changed
    assert f"must be {identity.CLAIM_NAME}" in named
    assert "must be the name of a namespace" in odd


def refusal(ask: Callable[[], object]) -> str:
    with pytest.raises(ApiError) as refused:
        ask()
    assert refused.value.code == 422
    return str(refused.value)


@pytest.mark.parametrize("for_all", [False, True], ids=["by-name", "for-all"])
def test_of_two_that_start_at_once_one_serves(
    bare_cluster: Cluster, claims: Objects, for_all: bool
) -> None:
    """Waiting executions are launched once; the API server decides which installation does it."""
    theirs, flags = unique("their-runs"), (EVERY_NAMESPACE,) if for_all else ()
    with open_world(bare_cluster, *flags, started=False) as world:
        first = world.new_operator(world.cluster.server)
        items = [world.create(unique_target()) for _ in range(10)]
        first.start(wait=False)
        with installation(world, theirs, ready=False) as second:
            for item in items:
                world.in_phase(item, "Running", 30)
            holder = holder_of(claims, EVERYWHERE if for_all else world.source)
            there = {ours: len(world.tekton.runs.list(ours)) for ours in places(world, theirs)}
            assert there == {place: 10 * (place == holder) for place in places(world, theirs)}
            refused = second if holder == world.execution_namespace else first
            until_it_says(refused, holder)
        first.stop()


def places(world: World, theirs: str) -> tuple[str, str]:
    return world.execution_namespace, theirs


def test_a_claim_whose_answer_is_lost_is_ours_all_the_same(
    bare_cluster: Cluster, claims: Objects
) -> None:
    with open_world(bare_cluster, started=False) as world:
        for _ in world.sources:
            world.proxy.inject(
                Fault(matches=faults.kind("create workflowclaims"), when="after", act=faults.drop)
            )
        world.operator.start()
        world.launched(unique_target())
        assert holder_of(claims, world.source) == world.execution_namespace
