"""`kubectl wfe locks` and `cooldowns`: what holds a target, and what ended there lately."""

import json

from harness import rights
from harness.executions import name_of, unique_target
from harness.plugin_command import Scene, ask
from harness.world import World


def test_locks_name_holder_run_and_what_executes(scene: Scene) -> None:
    told = ask(scene.world, "locks", "--target", scene.target, "-o", "wide")
    assert (told.status, told.err) == (0, "")
    assert told.masked(scene.names).splitlines() == [
        "TARGET  HOLDER  WORKFLOW  SINCE  STATE  EXECUTING  RUN  PODS",
        "TARGET  NAMESPACE/running  restart  LENGTH  Active  task check  RUNS/RUN",
    ]


def test_a_run_that_has_failed_holds_its_target_while_a_pod_is_left(world: World) -> None:
    target = unique_target()
    item, run = world.launched(target)
    world.tekton.begin(run)
    pod = world.tekton.leave_pod(run)
    world.tekton.fail(run)
    (lock,) = json.loads(ask(world, "locks", "--target", target, "-o", "json").out)["items"]
    assert (lock["state"], lock["holder"]) == ("Stopping", f"{world.source}/{name_of(item)}")
    place = f"{world.execution_namespace}/{name_of(pod)}"
    assert (lock["pods"], lock["executing"]) == ([place], f"pod {place}")
    world.tekton.pods.delete(pod)


def test_a_run_that_was_deleted_holds_its_target_while_a_pod_is_left(world: World) -> None:
    target = unique_target()
    item, run = world.launched(target)
    world.tekton.begin(run)
    pod = world.tekton.leave_pod(run)
    world.tekton.runs.delete(run)
    (lock,) = json.loads(ask(world, "locks", "--target", target, "-o", "json").out)["items"]
    assert (lock["state"], lock["holder"]) == ("Stopping", f"{world.source}/{name_of(item)}")
    assert lock["pods"] == [f"{world.execution_namespace}/{name_of(pod)}"]
    asked = ask(world, "can-run", "--target", target, "--workflow", "scale")
    assert (asked.status, "no (ResourceBusy)" in asked.out) == (11, True)
    world.tekton.stop_tasks(run)
    world.tekton.pods.delete(pod)


def test_with_a_viewers_rights_locks_say_what_could_not_be_read(scene: Scene) -> None:
    world = scene.world
    kubeconfig = rights.kubeconfig_of(world.cluster, world.sources[1], "listener", {}, world.folder)
    told = ask(world, "locks", kubeconfig=str(kubeconfig))
    assert told.status == 4
    assert (
        "unknown: which targets are locked: the right to list pipelineruns.tekton.dev in "
        f"namespace {world.execution_namespace} is missing; the ClusterRole "
        "workflowexecution-run-reader gives it" in told.err.splitlines()
    )


def test_cooldowns_tell_how_long_and_because_of_whom(world: World) -> None:
    target = unique_target()
    item, _ = world.completed(target)
    told = ask(world, "cooldowns", "--target", target)
    names = {target: "TARGET", name_of(item): "done", world.source: "NAMESPACE"}
    assert told.masked(names).splitlines() == [
        "TARGET  WORKFLOW  REMAINING  BECAUSE OF  OUTCOME",
        "TARGET  restart  LENGTH  NAMESPACE/done  Completed",
    ]
    other = unique_target()
    told = ask(world, "cooldowns", "--target", other)
    assert (told.out, told.err) == ("", f"nothing cools down on {other}\n")
