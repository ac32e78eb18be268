"""The settings that an operator publishes, with its own rights, and the answers that use them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from harness.executions import name_of, unique_target
from harness.plugin_command import ask
from harness.proxy import Proxy
from harness.waiting import eventually, holds_for
from harness.world import SETTINGS, World, open_world
from localcluster import Cluster
from localcluster.cluster import Object

PUBLISH = "patch configmaps"
COOLDOWN_S = 20
ROLE = "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles/workflowexecution-controller"
NOT_PUBLISHED = "settings not published"


@pytest.fixture(scope="module")
def guarded(bare_cluster: Cluster) -> Iterator[World]:
    with open_world(bare_cluster, "--guard-failed", f"--cooldown={COOLDOWN_S}s") as opened:
        yield opened


@pytest.fixture
def unstarted(bare_cluster: Cluster) -> Iterator[World]:
    with open_world(bare_cluster, started=False) as opened:
        yield opened


def published(world: World) -> dict[str, Any]:
    """The entries by key."""
    found = world.cluster.request("GET", SETTINGS.format(world.execution_namespace))
    return {key: json.loads(text) for key, text in found["data"].items()}


def failed(world: World, target: str) -> Object:
    item, run = world.launched(target)
    world.tekton.fail(world.tekton.begin(run))
    return world.ended(item, "Failed")


def test_an_operator_publishes_once_with_one_request(guarded: World) -> None:
    asked = [one.status for one in guarded.proxy.since() if one.kind == PUBLISH]
    assert asked == [201]
    (entry,) = published(guarded).values()
    assert entry["settings"]["cooldown"] == "20s"
    assert (entry["settings"]["guardFailed"], entry["settings"]["retryLimit"]) == (True, 0)
    assert entry["settings"]["watchNamespaces"] == list(guarded.sources)
    assert (entry["shard"], entry["problem"], bool(entry["version"])) == ("1/1", "", True)


def ask_may_run(world: World, target: str) -> dict[str, Any]:
    asked = ("can-run", "--target", target, "--workflow", "restart", "-o", "json")
    found: dict[str, Any] = json.loads(ask(world, *asked).out)
    return found


def cooling(world: World, target: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        ask(world, "cooldowns", "--target", target, "-o", "json").out
    )["items"]
    return found


def told_why(world: World, item: Object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask(world, "why", name_of(item), "-o", "json").out)
    return found


def decided(world: World, target: str) -> str:
    """The operator's own decision on a new execution: its reason, empty where it is launched."""
    item = world.create(target)

    def phase() -> str:
        found = world.read(item).get("status", {})
        assert found.get("phase") in ("Running", "Skipped")
        return str(found.get("skipDetails", {}).get("reason", ""))

    return eventually(phase, dump=world.dump)


def test_a_guard_is_named_until_it_is_cleared(guarded: World) -> None:
    world, target = guarded, unique_target()
    item = failed(world, target)
    foretold = ask_may_run(world, target)["reason"]
    skipped = world.ended(world.create(target), "Skipped")
    assert foretold == skipped["status"]["skipDetails"]["reason"] == "PreviousExecutionFailed"
    for one in (item, skipped):
        told = told_why(world, one)
        assert (told["mayRunNow"], told.get("until")) == (False, None)
        assert told["again"].startswith("once a person clears it: ")

    (listed,) = cooling(world, target)
    assert (listed["reason"], listed.get("until")) == ("PreviousExecutionFailed", None)
    people = ask(world, "cooldowns", "--target", target).out
    assert "until cleared" in people

    assert ask(world, "clear", name_of(item), "--reason", "looked").status == 0
    assert cooling(world, target) == []
    told, foretold = told_why(world, skipped), ask_may_run(world, target)
    assert told["mayRunNow"] == (foretold["decision"] == "Launch")
    assert told.get("until") == foretold.get("until")
    assert "clear" not in told["toDo"]

    def agree() -> None:
        foretold = ask_may_run(world, target)["reason"]
        assert foretold == decided(world, target) != "PreviousExecutionFailed"

    # The operator learns of the clear from its watch.
    eventually(agree, dump=world.dump)


def test_a_cooldown_that_is_no_default_is_told_to_the_second(guarded: World) -> None:
    world, target = guarded, unique_target()
    item, _ = world.completed(target)
    end = datetime.fromisoformat(item["status"]["completionTime"])
    until = (end + timedelta(seconds=COOLDOWN_S)).strftime("%Y-%m-%dT%H:%M:%SZ")
    foretold = ask_may_run(world, target)
    assert (foretold["reason"], foretold["until"]) == ("RecentlyRemediated", until)
    assert decided(world, target) == "RecentlyRemediated"
    told = told_why(world, item)
    assert (told["until"], told["mayRunNow"]) == (until, False)
    assert [one["until"] for one in cooling(world, target)] == [until]

    def may_run() -> None:
        assert ask_may_run(world, target)["decision"] == "Launch"

    eventually(may_run, COOLDOWN_S + 10, dump=world.dump)
    world.launched(target)


def test_a_second_shard_keeps_what_the_first_has_written(unstarted: World) -> None:
    world = unstarted
    operators = [world.new_operator(world.proxy.url, f"--shard={number}/2") for number in (1, 2)]
    for operator in operators:
        operator.start()

    def both() -> None:
        assert published(world).keys() == {"shard-1-of-2", "shard-2-of-2"}

    eventually(both, dump=world.dump)
    before = published(world)
    operators[1].stop()
    operators[1].start()

    def again() -> None:
        now = published(world)
        assert now["shard-2-of-2"]["writtenBy"] != before["shard-2-of-2"]["writtenBy"]
        assert now["shard-1-of-2"] == before["shard-1-of-2"]

    eventually(again, dump=world.dump)
    found = world.cluster.request("GET", SETTINGS.format(world.execution_namespace))
    owners = {one["manager"] for one in found["metadata"]["managedFields"]}
    assert owners == {f"workflowexecution-operator-shard-{number}-of-2" for number in (1, 2)}
    for operator in operators:
        operator.stop()


def test_who_stands_by_publishes_nothing(bare_cluster: Cluster) -> None:
    with open_world(bare_cluster, "--leader-election") as world:
        leader = published(world)
        proxy = Proxy(world.cluster)
        standby = world.new_operator(proxy.url)
        standby.start()

        def silent() -> None:
            assert [one.kind for one in proxy.since() if one.kind == PUBLISH] == []

        holds_for(silent, 3)
        assert published(world) == leader
        world.operator.stop()

        def taken_over() -> None:
            (entry,) = published(world).values()
            assert entry["writtenBy"] != leader["shard-1-of-1"]["writtenBy"]

        eventually(taken_over, dump=world.dump)
        standby.stop()
        proxy.close()


@pytest.mark.parametrize("verbs", [[], ["patch"]], ids=["no right", "no right to make it"])
def test_without_the_right_it_works_and_answers_say_what_is_not_known(
    unstarted: World, verbs: list[str]
) -> None:
    world, target = unstarted, unique_target()
    path = ROLE.format(world.execution_namespace)
    rules = world.cluster.request("GET", path)["rules"]
    kept = [rule for rule in rules if rule["resources"] != ["configmaps"]]
    (given,) = [rule for rule in rules if rule["resources"] == ["configmaps"]]
    now = [*kept, {**given, "verbs": verbs}] if verbs else kept
    world.cluster.request("PATCH", path, {"rules": now})
    world.operator.start()
    item, _ = world.completed(target)

    def refused_once() -> None:
        asked = [one.status for one in world.proxy.since() if one.kind == PUBLISH]
        assert asked == [403]
        lines = [line for line in world.operator.log_lines() if NOT_PUBLISHED in line["event"]]
        assert [line["level"] for line in lines] == ["warning"]
        assert lines[0]["problem"].endswith("apply its release again")

    eventually(refused_once, dump=world.dump)
    unknown = (
        "the operator's settings are not known: no operator has published any in ConfigMap "
        f"{world.execution_namespace}/workflowexecution-settings"
    )
    told = ask(world, "can-run", "--target", target, "--workflow", "restart")
    assert told.status == 1
    assert told.out.startswith("unknown: workflow restart ended last on target ")
    assert unknown in told.out
    assert unknown in ask(world, "why", name_of(item)).out
    assert unknown in ask(world, "cooldowns", "--target", target).err
    assert ask(world, "can-run", "--target", target, "--workflow", "scale").status == 0
