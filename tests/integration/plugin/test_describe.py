"""`kubectl wfe describe`: the story of an execution, as far as it can be read."""

import json

import pytest

from harness.executions import name_of, unique_target
from harness.plugin_command import Scene, ask
from harness.world import World


@pytest.fixture(scope="module")
def failed(world: World) -> tuple[str, dict[str, str]]:
    """Name of an execution whose first step exited with 3, and what is shown in place of names."""
    target = unique_target()
    item, run = world.launched(target)
    world.tekton.begin(world.tekton.accept(run))
    world.tekton.fail(run)
    world.ended(item, "Failed")
    shown = {
        target: "TARGET",
        name_of(item): "failed",
        name_of(run): "RUN",
        world.source: "NAMESPACE",
        world.execution_namespace: "RUNS",
    }
    return name_of(item), shown


def test_the_story_of_a_failure_is_told_in_order(
    world: World, failed: tuple[str, dict[str, str]]
) -> None:
    name, shown = failed
    told = ask(world, "describe", name)
    assert told.status == 0
    head, _, timeline = told.masked(shown).partition("\n\n")
    *known, message = head.splitlines()
    assert message.startswith("Message  Workflow restart on TARGET failed")
    assert known == [
        "Execution  NAMESPACE/failed",
        "Phase  Failed (TaskFailed)",
        "Workflow  restart",
        "Target  TARGET",
        "Run  RUNS/RUN",
    ]
    rows = [row.split("  ", 1)[1] for row in timeline.splitlines()]
    assert rows == [
        "WHAT  DETAIL",
        "created  workflow restart on TARGET",
        "decided  launched as RUNS/RUN",
        "started  Tekton took up the run",
        "task started  check",
        "step started  check/work",
        "step ended  check/work: exit code 3, Error",
        "task ended  check: Failed",
        "run ended  Failed",
        "Failed  TaskFailed, after LENGTH",
    ]
    # There is no kubelet here whom the API server could ask for a log.
    assert told.err.startswith("warning: the log of step check/work: ")


def test_the_story_of_a_skip_names_its_blocker(scene: Scene) -> None:
    story = json.loads(ask(scene.world, "describe", scene.skipped, "-o", "json").out)
    assert [moment["what"] for moment in story["timeline"]] == ["created", "decided"]
    assert story["timeline"][1]["detail"] == (
        f"skipped: ResourceBusy, because of {scene.world.source}/{scene.running}"
    )


def test_a_run_that_is_gone_is_said_to_be(world: World) -> None:
    item, run = world.completed(unique_target())
    world.tekton.runs.delete(run)
    told = ask(world, "describe", name_of(item))
    assert told.status == 0
    assert "Completed" in told.out
    assert f"{name_of(run)} is gone, and its tasks with it" in told.err
