"""Objects that are half finished, or that nobody serves, and a cluster that does not answer."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.executions import execution, name_of, unique, unique_target
from harness.objects import create_namespace, delete_namespace
from harness.plugin_command import ask
from harness.world import World
from localcluster.cluster import Object

COMMANDS: tuple[list[str], ...] = (
    ["describe"],
    ["describe", "-o", "json"],
    ["why"],
    ["why", "-o", "yaml"],
    ["logs"],
    ["cancel"],
)
STATUSES: tuple[dict[str, Any] | None, ...] = (
    None,
    {},
    {"phase": "Pending"},
    {"phase": "Running"},
    {"phase": "Running", "pipelineRunRef": {"name": "never-was"}},
    {"phase": "Skipped"},
    {"phase": "Failed", "failureReason": "Unknown"},
    {"phase": "Completed", "pipelineRunRef": {"name": "../../x", "namespace": "a/b"}},
    {"conditions": []},
)


@pytest.fixture(scope="module")
def unserved(world: World) -> Iterator[str]:
    """A namespace that the operator does not serve: what is written there stays as it is."""
    name = unique("unserved")
    create_namespace(world.cluster, name)
    yield name
    delete_namespace(world.cluster, name)


@pytest.mark.parametrize("status", STATUSES, ids=json.dumps)
def test_what_is_half_finished_is_told_as_far_as_it_goes(
    world: World, unserved: str, status: dict[str, Any] | None
) -> None:
    item = left_alone(world, unserved, status)
    for command in COMMANDS:
        told = ask(world, *command, name_of(item), namespace=unserved)
        assert told.status in (0, 1, 3), told.err
        assert told.out or told.err
    for command in (["list"], ["locks"], ["cooldowns"], ["top"]):
        assert ask(world, *command, namespace=unserved).status == 0


def test_what_nobody_has_seen_is_said_to_be_so(world: World, unserved: str) -> None:
    item = left_alone(world, unserved, None)
    told = ask(world, "why", f"{unserved}/{name_of(item)}", namespace=unserved)
    assert told.out.startswith(f"{unserved}/{name_of(item)} is not seen yet\n")
    assert "is it running, and does it serve this namespace?" in told.out
    found = ask(world, "describe", "-A", name_of(item))
    assert f"{unserved}/{name_of(item)}" in found.out
    assert "not seen yet" in found.out


def test_a_name_that_is_in_two_namespaces_is_not_guessed(world: World, unserved: str) -> None:
    item = left_alone(world, unserved, None)
    world.executions.create(execution(unique_target(), name=name_of(item), namespace=world.source))
    told = ask(world, "describe", "-A", name_of(item))
    assert told.status == 2
    for namespace in (unserved, world.source):
        assert f"{namespace}/{name_of(item)}" in told.err


def test_a_run_that_says_nothing_sensible_holds_its_target_all_the_same(world: World) -> None:
    target = unique_target()
    item, run = world.launched(target)
    odd = {"conditions": [{"type": "Other", "status": "True"}], "childReferences": []}
    world.tekton.runs.patch(run, {"status": odd}, "status")
    (lock,) = json.loads(ask(world, "locks", "--target", target, "-o", "json").out)["items"]
    assert lock["run"].endswith(name_of(run))
    for command in (["describe"], ["why"], ["logs"]):
        assert ask(world, *command, name_of(item)).status == 0


@pytest.mark.parametrize("command", [["list"], ["locks"], ["doctor"], ["watch"], ["version"]])
def test_a_cluster_that_does_not_answer_is_said_to_be_so(
    world: World, tmp_path: Path, command: list[str]
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        server = f"https://127.0.0.1:{nobody.getsockname()[1]}"
        config = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
        }
        (tmp_path / "config").write_text(json.dumps(config))
        told = ask(world, *command, kubeconfig=str(tmp_path / "config"))
    assert told.status == 5
    assert "no answer: " in told.err


def left_alone(world: World, namespace: str, status: dict[str, Any] | None) -> Object:
    item = world.executions.create(execution(unique_target(), namespace=namespace))
    if status is None:
        return item
    return world.executions.patch(item, {"status": status}, "status")
