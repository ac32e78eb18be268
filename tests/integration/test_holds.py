"""A person holds new launches: what is held waits, and goes on by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from harness import faults
from harness.executions import condition_of, name_of, unique
from harness.faults import Fault
from harness.holds import REASON, build_hold, create_hold, held, holds_of, lift, waiting_for
from harness.waiting import eventually, holds_for
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import MERGE, ApiError, Object

STATUS, CREATE, EVENT = "patch workflowexecutions/status", "create pipelineruns", "create events"
WATCH = "watch workflowholds"
CRD = (
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
    "workflowholds.workflowexecution.kubernaut.ai"
)


def asked(world: World, mark: int) -> Counter[str]:
    return Counter(one.kind for one in world.proxy.since(mark))


def text_of(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("scope", ["everything", "source", "namespace", "target", "workflow"])
def test_what_is_held_waits_and_goes_on_when_it_is_lifted(
    world: World, target: str, scope: str
) -> None:
    """It costs one status patch more than a launch, and nothing while it waits."""
    workflow = unique("workflow")
    scopes: dict[str, dict[str, Any]] = {
        "everything": {"everything": True},
        "source": {"namespace": world.source},
        "namespace": {"namespace": "payment"},
        "target": {"targetResource": target},
        "workflow": {"workflowId": workflow},
    }
    hold = create_hold(world, **scopes[scope])
    mark = world.proxy.mark()
    item = world.create(target, workflow=workflow)
    said = waiting_for(world, item)
    assert said.startswith("held by jane since ")
    assert f"until it is deleted: {REASON} (WorkflowHold " in said
    assert name_of(hold) in said
    found = world.read(item)
    assert condition_of(found, "PipelineRunCreated")["status"] == "False"
    assert condition_of(found, "Reconciling")["status"] == "True"
    holds_for(lambda: _assert_asked(world, mark, {STATUS: 1}), 1)
    assert world.operator.metric("workflowexecution_held") == 1

    if is_narrow := scope in ("target", "workflow"):
        world.launched(f"{target}-other", workflow="another")
    lift(world, hold)
    world.in_phase(item, "Running")
    a_launch = Counter({CREATE: 1, STATUS: 1, EVENT: 1})
    assert world.operator.metric("workflowexecution_held") == 0
    cost = Counter({STATUS: 1}) + a_launch + (a_launch if is_narrow else Counter())
    eventually(lambda: _assert_asked(world, mark, cost))


def _assert_asked(world: World, mark: int, expected: dict[str, int]) -> None:
    assert asked(world, mark) == expected


def test_it_goes_on_by_itself_when_the_hold_expires(world: World, target: str) -> None:
    until = (datetime.now(UTC) + timedelta(seconds=4)).replace(microsecond=0)
    with held(world, targetResource=target, expiresAt=text_of(until)):
        item = world.create(target)
        assert f"until {text_of(until)}" in waiting_for(world, item)
        mark = world.proxy.mark()
        running = world.in_phase(item, "Running")
        assert datetime.fromisoformat(running["status"]["startTime"]) >= until
        assert asked(world, mark)[CREATE] == 1
        # One that has expired stays, and holds nothing.
        assert world.ended(world.create(target), "Skipped")


def test_what_runs_goes_on(world: World, target: str) -> None:
    item, run = world.launched(target)
    world.tekton.begin(run)
    with held(world):
        world.tekton.succeed(run)
        world.ended(item, "Completed")


def test_what_would_be_skipped_is_skipped_though_it_is_held(world: World, target: str) -> None:
    world.launched(target)
    with held(world):
        skipped = world.ended(world.create(target, workflow="other"), "Skipped")
    assert skipped["status"]["skipDetails"]["reason"] == "ResourceBusy"


def test_of_many_that_waited_for_one_target_one_runs(world: World, target: str) -> None:
    hold = create_hold(world, targetResource=target)
    items = [world.create(target) for _ in range(5)]
    for item in items:
        waiting_for(world, item)
    lift(world, hold)

    def decided() -> Counter[str]:
        phases = Counter(world.read(item)["status"]["phase"] for item in items)
        assert phases == {"Running": 1, "Skipped": 4}
        return phases

    eventually(decided, dump=world.dump)
    assert len(world.runs(target)) == 1


def test_one_that_waits_can_be_deleted(world: World, target: str) -> None:
    with held(world, targetResource=target) as hold:
        item = world.create(target)
        waiting_for(world, item)
        world.executions.delete(item)
        world.gone(item)
        assert name_of(hold)
    holds_for(lambda: _assert_no_run(world, target), 0.5)


def _assert_no_run(world: World, target: str) -> None:
    assert world.runs(target) == []


def test_a_restarted_operator_holds_what_was_held(world: World, target: str) -> None:
    hold = create_hold(world, targetResource=target)
    item = world.create(target)
    waiting_for(world, item)
    world.operator.kill()
    mark = world.proxy.mark()
    world.operator.start()
    another = world.create(target, workflow="another")
    waiting_for(world, another)
    assert world.runs(target) == []
    written = [one.about for one in world.proxy.since(mark) if one.kind == STATUS]
    assert written.count(name_of(another)) == 1
    assert name_of(item) not in written

    world.operator.kill()
    lift(world, hold)
    world.operator.start()
    eventually(lambda: _assert_one_runs(world, [item, another]), dump=world.dump)


def _assert_one_runs(world: World, items: list[Object]) -> None:
    phases = sorted(world.read(item)["status"]["phase"] for item in items)
    assert phases == ["Running", "Skipped"]


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param((("--shard=1/2",), ("--shard=2/2",)), id="shards"),
        pytest.param((("--leader-election",), ("--leader-election",)), id="leader-and-standby"),
    ],
)
def test_each_of_several_operators_holds_what_is_held(
    bare_cluster: Cluster, target: str, flags: tuple[tuple[str, ...], ...]
) -> None:
    with open_world(bare_cluster, started=False) as world:
        first, second = (world.new_operator(world.proxy.url, *some) for some in flags)
        first.start()
        second.start()
        hold = create_hold(world)
        items = [world.create(f"{target}-{number}") for number in range(6)]
        for item in items:
            waiting_for(world, item)
        first.stop()
        if "--leader-election" in flags[0]:
            items.append(world.create(f"{target}-late"))
            waiting_for(world, items[-1])
        else:
            first.start()
        lift(world, hold)
        for item in items:
            world.in_phase(item, "Running")


def test_a_hold_that_is_made_while_nobody_watches_holds_from_the_start(
    world: World, target: str
) -> None:
    world.operator.kill()
    hold, item = create_hold(world, targetResource=target), world.create(target)
    world.operator.start()
    waiting_for(world, item)
    lift(world, hold)
    world.in_phase(item, "Running")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"everything": None}, "say what is held"),
        ({"everything": False}, "say what is held"),
        ({"workflowId": "a", "everything": True}, "say what is held"),
        ({"targetResource": "payment"}, "must be namespace/kind/name"),
        ({"reason": ""}, "spec.reason"),
        ({"heldBy": None}, "spec.heldBy"),
        ({"expiresAt": "tomorrow"}, "spec.expiresAt"),
    ],
)
def test_a_hold_that_cannot_be_meant_is_refused(
    world: World, spec: dict[str, Any], said: str
) -> None:
    item = build_hold(world, **spec)
    item["spec"] = {key: value for key, value in item["spec"].items() if value is not None}
    with pytest.raises(ApiError, match=said) as error:
        holds_of(world).create(item)
    assert error.value.code == 422


def test_a_hold_is_not_changed_so_that_it_says_who_held_what(world: World) -> None:
    with (
        held(world, workflowId="nobody-runs-this") as item,
        pytest.raises(ApiError, match="a hold is not changed"),
    ):
        holds_of(world).patch(item, {"spec": {"reason": "another"}})


@contextmanager
def anything_is_a_hold(cluster: Cluster) -> Iterator[None]:
    """Have the API server take any hold for the block, as an older definition may have."""
    where = "/spec/versions/0/schema/openAPIV3Schema/properties/spec"
    before = cluster.request("GET", CRD)
    schema = before["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]

    def replace(value: object) -> None:
        patch: Any = [{"op": "replace", "path": where, "value": value}]
        cluster.request("PATCH", CRD, patch, "application/json-patch+json")

    replace({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    try:
        yield
    finally:
        replace(schema)


def test_a_hold_that_cannot_be_understood_holds_everything_and_says_so(
    world: World, target: str
) -> None:
    garbage = build_hold(world)
    garbage["spec"] = {"everthing": "yes"}

    def created() -> Object:
        try:
            return holds_of(world).create(garbage)
        except ApiError as error:
            raise AssertionError(f"the new schema is not in force: {error}") from error

    with anything_is_a_hold(world.cluster):
        hold = eventually(created)
    item = world.create(target)
    said = waiting_for(world, item)
    assert f"{name_of(hold)} cannot be understood, so it holds everything" in said
    assert "spec.reason" in said
    lift(world, hold)
    world.in_phase(item, "Running")


def test_while_holds_may_not_be_read_nothing_is_launched_and_the_status_says_so(
    bare_cluster: Cluster, target: str
) -> None:
    with open_world(bare_cluster, trouble=True) as world:
        refused = Fault(
            matches=faults.kind(WATCH),
            when="before",
            act=faults.answer(403, "Forbidden", message="you may not watch workflowholds"),
            times=1000,
        )
        world.proxy.inject(refused)
        world.proxy.cut_watches()
        eventually(lambda: _assert_struck(refused))
        item = world.create(target)
        said = waiting_for(world, item)
        assert said.startswith("nothing is launched while holds cannot be read: ")
        assert "you may not watch workflowholds" in said
        status, told = world.operator.ask("/readyz")
        assert (status, "workflowholds" in told) == (503, True)
        mark = world.proxy.mark()
        holds_for(lambda: _assert_no_writes(world, mark), 3)
        world.proxy.heal()
        world.in_phase(item, "Running")


def _assert_struck(fault: Fault) -> None:
    assert fault.struck > 0


def _assert_no_writes(world: World, mark: int) -> None:
    assert not [one.kind for one in world.proxy.since(mark) if one.is_write]


def test_an_operator_without_the_right_does_not_start_to_work_and_says_why(
    bare_cluster: Cluster, target: str
) -> None:
    with open_world(bare_cluster, started=False, trouble=True) as world:
        path = (
            f"/apis/rbac.authorization.k8s.io/v1/namespaces/{world.execution_namespace}"
            "/roles/workflowexecution-controller"
        )
        role = bare_cluster.request("GET", path)
        less = [rule for rule in role["rules"] if "workflowholds" not in rule["resources"]]
        bare_cluster.request("PATCH", path, {"rules": less}, MERGE)
        world.operator.start(wait=False)

        def told() -> None:
            status, text = world.operator.ask("/readyz")
            assert status == 503
            assert "lacks a right; apply its release again" in text
            assert "workflowholds" in text

        eventually(told)
        item = world.create(target)
        holds_for(lambda: _assert_no_run(world, target), 0.5)
        bare_cluster.request("PATCH", path, {"rules": role["rules"]}, MERGE)
        world.operator.until_ready()
        world.in_phase(item, "Running")
