"""Tasks in `finally` run at the time limit and on a cancel, and are limited themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from field.situation import open_node_world, push_pipeline, workflow
from harness.executions import condition_of, name_of, unique_target
from harness.plugin_command import ask
from harness.waiting import eventually
from harness.world import World
from localcluster import Cluster
from localcluster.cluster import Object
from workflowexecution.api import identity

FOLDER = Path(__file__).parent
END_S = 40.0


@pytest.fixture(scope="module")
def world(node_cluster: Cluster, shop: str) -> Iterator[World]:
    with open_node_world(node_cluster, shop, "--cancel-grace=6s") as opened:
        yield opened


@pytest.fixture(scope="module")
def rollback(node_cluster: Cluster) -> str:
    return push_pipeline(node_cluster, FOLDER)


def task_of(world: World, run: Object, task: str) -> Object:
    found = world.tekton.task_runs.get(world.execution_namespace, f"{name_of(run)}-{task}")
    assert found is not None, f"there is no TaskRun of {task}"
    return found


def at_work(world: World, reference: str, **fields: object) -> tuple[Object, Object]:
    """An execution whose first task works."""
    item = world.create(unique_target(), **workflow(reference), **fields)
    run = world.run_of(item)

    def has_begun() -> None:
        steps = task_of(world, run, "change").get("status", {}).get("steps", [{}])
        assert "running" in steps[0], steps

    eventually(has_begun, END_S, dump=world.dump)
    return item, run


def until_undone(world: World, run: Object) -> None:
    def is_undone() -> None:
        told = condition_of(task_of(world, run, "undo"), "Succeeded")
        assert told.get("status") == "True", told

    eventually(is_undone, END_S, dump=world.dump)


def test_at_the_time_limit(world: World, rollback: str) -> None:
    item, run = at_work(world, rollback, executionConfig={"timeout": "8s"})

    found = world.ended(item, "Failed", END_S)

    until_undone(world, run)
    assert found["status"]["failureReason"] == "DeadlineExceeded"
    assert found["status"]["failureDetails"]["failedTaskName"] == "change"


def test_on_a_cancel(world: World, rollback: str) -> None:
    item, run = at_work(world, rollback)

    told = ask(world, "cancel", f"wfe/{name_of(item)}", "--reason", "wrong target")

    assert told.status == 0, told.err
    assert "its finally tasks run first" in told.out
    seen = world.run_now(run)
    assert seen is not None
    said = f"cancelled by {seen['metadata']['annotations'][identity.CANCELLED_BY]}: wrong target"
    details = world.ended(item, "Failed", END_S)["status"]["failureDetails"]
    assert (details["reason"], details["failedTaskName"]) == ("Unknown", "change")
    assert details["message"].startswith(f"{said}; task 'change', step ")
    assert said in details["naturalLanguageSummary"]
    gone = ask(world, "logs", name_of(item), "--task", "change")
    assert f"Tekton deleted the pod when the run was {said}" in gone.err
    story = ask(world, "describe", name_of(item))
    assert re.search(rf"cancelled +{said.removeprefix('cancelled ')}", story.out), story.out
    assert "Failed (Cancelled)" in story.out
    until_undone(world, run)


def test_when_its_execution_is_deleted(world: World, rollback: str) -> None:
    item, run = at_work(world, rollback)

    world.executions.delete(item)

    until_undone(world, run)


def test_a_rollback_without_end_is_ended(world: World, node_cluster: Cluster) -> None:
    item, run = at_work(world, push_pipeline(node_cluster, FOLDER, "endless.yaml"))

    ask(world, "cancel", name_of(item))

    found = world.ended(item, "Failed", END_S)
    assert found["status"]["pipelineRunStatus"]["reason"] == "Cancelled"
    assert condition_of(task_of(world, run, "undo"), "Succeeded")["status"] == "False"
