"""`kubectl wfe can-run`: what it says is what the operator then does."""

import json

from harness import rights
from harness.executions import name_of, unique_target
from harness.plugin_command import Scene, ask
from harness.world import World


def test_a_free_target_may_be_run_on_and_nothing_is_created(world: World) -> None:
    target = unique_target()
    told = ask(world, "can-run", "--target", target, "--workflow", "restart")
    said = f"yes: workflow restart may run on target {target} now\n"
    assert (told.status, told.out, told.err) == (0, said, "")
    assert world.runs(target) == []
    as_json = ask(world, "can-run", "--target", target, "--workflow", "restart", "-o", "json")
    _, run = world.launched(target)
    assert json.loads(as_json.out)["run"] == name_of(run)


def test_a_held_target_is_told_with_its_holder(scene: Scene) -> None:
    told = ask(scene.world, "can-run", "--target", scene.target, "--workflow", "scale")
    assert told.status == 11
    assert told.masked(scene.names) == (
        "no (ResourceBusy): target TARGET is being changed by WorkflowExecution "
        "NAMESPACE/running (workflow restart, PipelineRun RUN)"
    )


def test_a_cooldown_is_for_the_same_workflow_only_and_the_operator_agrees(world: World) -> None:
    target = unique_target()
    world.completed(target)
    asked = ["can-run", "--target", target, "-o", "json"]
    told = ask(world, *asked, "--workflow", "restart")
    foretold = json.loads(told.out)
    assert (told.status, foretold["reason"]) == (11, "RecentlyRemediated")
    skipped = world.ended(world.create(target), "Skipped")["status"]["skipDetails"]
    assert foretold["skip"]["recentRemediation"]["name"] == skipped["recentRemediation"]["name"]
    assert ask(world, *asked, "--workflow", "scale").status == 0


def test_who_may_read_executions_and_runs_is_told_in_full(scene: Scene) -> None:
    world = scene.world
    roles = {
        "workflowexecution-viewer": "",
        "workflowexecution-run-reader": world.execution_namespace,
    }
    config = rights.kubeconfig_with_roles(
        world.cluster, world.sources[1], "reader", roles, world.folder
    )
    for command in (
        ["can-run", "--target", scene.target, "--workflow", "scale"],
        ["why", scene.skipped],
        ["describe", scene.running],
        ["locks"],
        ["cooldowns"],
    ):
        told = ask(world, *command, kubeconfig=str(config))
        assert told.status in (0, 11)
        assert "the right to" not in told.err


def test_a_target_that_is_none_would_fail(world: World) -> None:
    told = ask(world, "can-run", "--target", "payment", "--workflow", "restart")
    assert told.status == 10
    assert told.out.startswith("no (ConfigurationError): --target: 'payment' is not a ")
