"""`kubectl wfe why`: the cause, and when the same may run again."""

import json

from harness import rights
from harness.executions import name_of, unique_target
from harness.plugin_command import Scene, ask
from harness.world import World


def test_a_skip_is_explained_by_its_blocker(scene: Scene) -> None:
    told = ask(scene.world, "why", scene.skipped)
    assert (told.status, told.err) == (0, "")
    assert told.masked(scene.names).splitlines() == [
        "NAMESPACE/skipped is Skipped (ResourceBusy)",
        "Workflow  scale on TARGET",
        "What happened  target TARGET is being changed by WorkflowExecution NAMESPACE/running "
        "(workflow restart, PipelineRun RUN)",
        "Because of  NAMESPACE/running",
        "What it means  Nothing was run, and nothing will be.",
        "What to do  Treat it as a duplicate of the holder, and decide again when that has ended.",
        "The same may run  once NAMESPACE/running has ended",
    ]


def test_a_failure_is_explained_and_its_cooldown_counted(world: World) -> None:
    item, run = world.launched(unique_target())
    world.tekton.begin(run)
    world.tekton.fail(run)
    world.ended(item, "Failed")
    found = json.loads(ask(world, "why", name_of(item), "-o", "json").out)
    assert (found["phase"], found["reason"], found["mayRunNow"]) == ("Failed", "TaskFailed", False)
    assert found["again"].startswith("in ")
    assert found["until"]
    assert "exit code 3" in found["happened"]


def test_who_may_only_read_executions_is_told_the_cause_and_what_is_missing(scene: Scene) -> None:
    world = scene.world
    what = {"apiGroups": ["workflowexecution.kubernaut.ai"], "resources": ["workflowexecutions"]}
    rules = {world.source: [{**what, "verbs": ["get", "list"]}]}
    kubeconfig = rights.kubeconfig_of(world.cluster, world.sources[1], "asker", rules, world.folder)
    told = ask(world, "why", scene.skipped, kubeconfig=str(kubeconfig))
    assert told.status == 4
    assert "What happened" in told.out
    assert "The same may run    unknown" in told.out
    assert "the right to list pipelineruns.tekton.dev" in told.err


def test_a_name_that_nobody_bears_is_told(world: World) -> None:
    told = ask(world, "why", "nobody")
    assert (told.status, told.out) == (3, "")
    assert told.err == (
        f"error: there is no WorkflowExecution 'nobody' in namespace {world.source}; "
        "-A looks in all namespaces\n"
    )
