"""A parameter that the workflow does not declare: a condition, one Event, and nothing else."""

from __future__ import annotations

import pytest

from harness.executions import condition_of
from harness.waiting import eventually, holds_for
from harness.world import World
from localcluster.cluster import Object

KIND = "UndeclaredParameter"
SAID = "the workflow declares no parameter REPLICA (did you mean REPLICAS?); it declares REPLICAS"
DECLARES = ("TARGET_RESOURCE", "REPLICAS")


def warnings_of(world: World, item: Object) -> list[str]:
    return [event["note"] for event in world.events_of(item) if event["type"] == "Warning"]


def assert_warned(world: World, item: Object) -> None:
    assert warnings_of(world, item) == [SAID]


def assert_told(world: World, item: Object) -> None:
    found = condition_of(world.read(item), KIND)
    assert (found.get("status"), found.get("message")) == ("True", SAID)


def test_it_is_told_while_the_run_is_at_work_and_once_also_after_a_restart(
    world: World, target: str
) -> None:
    item, run = world.launched(target, parameters={"REPLICA": "3"})
    world.tekton.begin(world.tekton.accept(run), declares=DECLARES)
    eventually(lambda: assert_told(world, item), dump=world.dump)
    eventually(lambda: assert_warned(world, item), dump=world.dump)
    before = condition_of(world.read(item), KIND)

    world.operator.kill()
    world.operator.start()
    world.tekton.succeed(run)

    done = world.ended(item, "Completed")
    assert condition_of(done, KIND) == before
    assert KIND not in condition_of(done, "Succeeded")["message"]
    holds_for(lambda: assert_warned(world, item), 0.5)


@pytest.mark.parametrize("parameters", [{}, {"REPLICAS": "3"}])
def test_of_what_is_declared_nothing_is_said(
    world: World, target: str, parameters: dict[str, str]
) -> None:
    item, run = world.launched(target, parameters=parameters)
    world.tekton.begin(run, declares=DECLARES)
    world.tekton.succeed(run)
    done = world.ended(item, "Completed")
    assert KIND not in [one["type"] for one in done["status"]["conditions"]]
    assert warnings_of(world, item) == []


def test_a_run_that_was_deleted_keeps_what_was_told(world: World, target: str) -> None:
    item, run = world.launched(target, parameters={"REPLICA": "3"})
    world.tekton.begin(run, declares=DECLARES)
    eventually(lambda: assert_told(world, item), dump=world.dump)
    world.tekton.stop_tasks(run)
    world.tekton.runs.delete(run)
    done = world.ended(item, "Failed")
    assert condition_of(done, KIND)["message"] == SAID
