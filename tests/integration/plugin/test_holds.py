"""`kubectl wfe hold`, `holds` and `release`: one command each, and the rest knows of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from harness import rights
from harness.executions import unique, unique_target
from harness.holds import holds_of, waiting_for
from harness.objects import Objects
from harness.plugin_command import ask
from harness.waiting import eventually
from harness.world import World
from workflowexecution.api import reading


def who(world: World) -> str:
    """The name by which the cluster knows whoever runs the commands."""
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    return str(world.cluster.request("POST", path, body)["status"]["userInfo"]["username"])


def test_a_target_is_held_looked_at_and_released(world: World) -> None:
    target, name = unique_target(), unique("freeze")
    told = ask(world, "hold", name, "--target", target, "--reason", "a look first", "--for", "2h")
    assert told.status == 0, told.err
    names = {name: "HOLD", target: "TARGET", world.execution_namespace: "RUNS", who(world): "ME"}
    assert told.masked(names).splitlines() == [
        "new launches are held: every workflow, on target TARGET, in every namespace",
        "held by ME since TIME, until TIME: a look first (WorkflowHold RUNS/HOLD, target TARGET)",
    ]
    item = world.create(target)
    waiting_for(world, item)
    shown = json.loads(ask(world, "holds", "-o", "json").out)["items"]
    (mine,) = [one for one in shown if one["name"] == name]
    assert mine["waiting"] == [f"{world.source}/{item['metadata']['name']}"]
    assert (mine["by"], mine["state"]) == (who(world), "Active")

    foretold = ask(world, "can-run", "--target", target, "--workflow", "restart")
    assert foretold.status == 13
    assert foretold.out.startswith(f"no (Held): held by {who(world)} since ")
    why = json.loads(ask(world, "why", item["metadata"]["name"], "-o", "json").out)
    assert (why["phase"], why["reason"], why["mayRunNow"]) == ("Pending", "Held", False)
    assert why["again"].startswith("in 1h")

    released = ask(world, "release", name)
    assert (released.status, released.out) == (0, f"{world.execution_namespace}/{name} is lifted\n")
    assert f"goes on now: {world.source}/{item['metadata']['name']}" in released.err
    world.in_phase(item, "Running")
    assert ask(world, "release", name).status == 3


def test_a_release_is_in_the_story(world: World) -> None:
    """Though the hold is deleted. Of an execution that is decided at once no hold is looked for."""
    target, name = unique_target(), unique("freeze")
    ask(world, "hold", name, "--target", target, "--reason", "a look first")
    item = world.create(target)
    waiting_for(world, item)
    created = reading.parse_time(item["metadata"]["creationTimestamp"])
    eventually(lambda: _assert_past(created + timedelta(seconds=11)))
    assert ask(world, "release", name).err.startswith("goes on now: ")
    world.in_phase(item, "Running")
    told = ask(world, "describe", item["metadata"]["name"], "-o", "json")
    story = json.loads(told.out)["timeline"]
    which = f"(WorkflowHold {world.execution_namespace}/{name})"
    assert [moment["what"] for moment in story][:4] == ["created", "held", "released", "decided"]
    assert story[1]["detail"] == f"by {who(world)}: a look first {which}"
    assert story[2]["detail"] == f"by {who(world)} {which}"


def _assert_past(moment: datetime) -> None:
    assert datetime.now(UTC) > moment


def test_the_table_is_for_people(world: World) -> None:
    name = unique("freeze")
    workflow = unique("workflow")
    ask(world, "hold", name, "--workflow", workflow, "--reason", "it is broken")
    masked = ask(world, "holds").masked({name: "HOLD", workflow: "W", who(world): "ME"})
    lines = masked.splitlines()
    assert lines[0] == "NAME  HOLDS  BY  SINCE  FOR  WAITING  REASON"
    assert "HOLD  workflow W  ME  LENGTH  until released  0  it is broken" in lines
    why = ask(world, "can-run", "--target", unique_target(), "--workflow", workflow)
    assert "until it is deleted" in why.out
    ask(world, "release", name)


def test_what_has_expired_is_shown_on_demand_and_cleaned_up(world: World) -> None:
    name, workflow = unique("freeze"), unique("workflow")
    ask(world, "hold", name, "--workflow", workflow, "--reason", "short", "--for", "1s")

    def expired() -> None:
        assert name not in ask(world, "holds").out

    eventually(expired)
    assert name in ask(world, "holds", "--show-expired").out
    assert f"{name} is lifted" in ask(world, "release", "--expired").out
    assert holds_of(world).get(world.execution_namespace, name) is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--reason", "x"], "say what to hold"),
        (["--reason", "x", "--everything", "--workflow", "w"], "say what to hold"),
        (["--reason", "x", "--target", "payment"], "'payment' is not a target"),
        (["--reason", "x", "--everything", "--for", "soon"], "soon"),
        (["--reason", "x", "--everything", "--until", "soon"], "write it like 2026-01-31T18"),
        (["--reason", "x", "--everything", "--until", "2020-01-01"], "ended before it begins"),
        (["--reason", "x", "--everything", "--until", "2099-01-01", "--for", "1h"], "not both"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    world: World, arguments: list[str], said: str
) -> None:
    told = ask(world, "hold", *arguments)
    assert (told.status, told.out) == (2, "")
    assert said in told.err


def test_who_may_not_hold_is_told_which_role_gives_it(world: World) -> None:
    kubeconfig = rights.kubeconfig_of(
        world.cluster, world.sources[1], "passer-by", {}, world.folder
    )
    arguments = ("hold", "--everything", "--reason", "x")
    told = ask(world, *arguments, kubeconfig=str(kubeconfig))
    assert told.status == 4
    assert "the right to create workflowholds.workflowexecution.kubernaut.ai" in told.err
    assert "the ClusterRole workflowexecution-holder gives it" in told.err
    assert Objects(world.cluster, "workflowholds").list(world.execution_namespace) == []
