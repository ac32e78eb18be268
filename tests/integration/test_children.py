"""Everything that a run has made counts: it holds the target, and its start is reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from harness.executions import condition_of, name_of
from harness.tekton import APPROVAL, PIPELINE, now
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object

DONE: Object = {"terminated": {"exitCode": 0, "reason": "Completed"}}
RUNNING: Object = {"running": {"startedAt": None}}
WITH_APPROVAL: list[Object] = [{"name": "approve", "taskRef": APPROVAL}, PIPELINE[1]]
HELPER = {"name": "helper", "image": "registry.example/helper"}
WITH_SIDECAR: list[Object] = [
    {"name": "check", "taskSpec": {**PIPELINE[0]["taskSpec"], "sidecars": [HELPER]}},
    PIPELINE[1],
]
ELSEWHERE: list[Object] = [{"name": "check", "taskRef": {"name": "check"}}, PIPELINE[1]]
NESTED: list[Object] = [PIPELINE[0], {"name": "inner", "pipelineSpec": {"tasks": [PIPELINE[1]]}}]
# The garbage collector of a new cluster looks for new kinds every half minute.
GARBAGE_S = 75
READS = ("list taskruns", "list pods", "list customruns")


@pytest.fixture(scope="module")
def world(bare_cluster: Cluster) -> Iterator[World]:
    """An operator that leaves what a run has left a few seconds to stop by itself."""
    with open_world(bare_cluster, "--leftover-grace=4s", "--cooldown=0s") as opened:
        yield opened


def is_held(world: World, item: Object, by: str) -> None:
    """Wait until an execution says what keeps its target, and see that it does."""

    def told() -> None:
        condition = condition_of(world.read(item), "Succeeded")
        assert condition["reason"] == "Stopping", condition
        assert f"until {by} has stopped" in condition["message"]

    eventually(told, dump=world.dump)
    target = item["spec"]["targetResource"]
    skipped = world.ended(world.create(target, workflow="other"), "Skipped")
    assert skipped["status"]["skipDetails"]["reason"] == "ResourceBusy"
    assert skipped["status"]["skipDetails"]["conflictingWorkflow"]["name"] == name_of(item)


def reasons(world: World, item: Object) -> set[str]:
    return {event["reason"] for event in world.events_of(item)}


def eventually_told(world: World, item: Object, reason: str, *words: str) -> None:
    def told() -> None:
        notes = [event["note"] for event in world.events_of(item) if event["reason"] == reason]
        assert notes, reasons(world, item)
        for word in words:
            assert word in notes[0]

    eventually(told, dump=world.dump)


def test_a_custom_task_that_a_person_denies(world: World, target: str) -> None:
    item, run = world.launched(target)
    run = world.tekton.begin(run, tasks=WITH_APPROVAL)
    world.tekton.answer(run, "approve", "False", "Denied", "denied by jane: change freeze")
    world.tekton.refuse(run, "Failed", "Tasks Completed: 1 (Failed: 1, Cancelled 0), Skipped: 1")

    failure = world.ended(item, "Failed")["status"]["failureDetails"]
    assert (failure["reason"], failure["failedTaskName"]) == ("TaskFailed", "approve")
    assert "denied by jane: change freeze" in failure["message"]
    assert f"kubectl describe customrun -n {world.execution_namespace}" in failure["message"]
    assert failure["wasExecutionFailure"] is True
    assert "A custom task had begun" in failure["naturalLanguageSummary"]
    world.launched(target, workflow="other")


def test_a_custom_task_that_nobody_ends_holds_and_is_named(world: World, target: str) -> None:
    """Its controller is not there: it has changed nothing, and would hold its target for ever."""
    item, run = world.launched(target)
    run = world.tekton.begin(run, tasks=WITH_APPROVAL)
    world.tekton.time_out(run)
    is_held(world, item, f"CustomRun {name_of(run)}-approve")

    # The garbage collector ends what is deleted from the foreground, once it knows of the kind.
    failure = world.ended(item, "Failed", GARBAGE_S)["status"]["failureDetails"]
    assert (failure["reason"], failure["failedTaskName"]) == ("DeadlineExceeded", "approve")
    assert failure["wasExecutionFailure"] is False
    eventually_told(world, item, "ChildDeleted", f"{name_of(run)}-approve")
    world.launched(target, workflow="other")


def test_a_run_that_is_a_task_is_no_holder_of_its_own(world: World, target: str) -> None:
    item, run = world.launched(target)
    run = world.tekton.begin(run, tasks=NESTED)
    child = world.tekton.runs.create(world.tekton.child(run, "PipelineRun", "inner", {}))
    world.tekton.succeed(run)
    is_held(world, item, f"PipelineRun {name_of(child)}")

    world.ended(item, "Completed", GARBAGE_S)
    assert world.run_now(child) is None
    eventually_told(world, item, "ChildDeleted", name_of(child), "task 'inner'")
    # It ends no cooldown and holds nothing.
    world.launched(target, workflow="other")


def test_work_of_a_run_that_is_a_task_is_its_parents(world: World, target: str) -> None:
    """After a restart, too, when only a list of pods tells of it."""
    item, run = world.launched(target)
    run = world.tekton.begin(run, tasks=NESTED)
    child = world.tekton.runs.create(world.tekton.child(run, "PipelineRun", "inner", {}))
    pod = world.tekton.leave_pod(child)
    world.operator.kill()
    world.tekton.refuse(child, "Cancelled", "cancelled")
    world.tekton.succeed(run, completed_at="2026-01-01T00:00:00Z")
    world.operator.start()
    is_held(world, item, f"pod {world.execution_namespace}/{name_of(pod)}")
    world.ended(item, "Completed")


def test_a_sidecar_of_a_run_that_succeeded_holds_its_target(world: World, target: str) -> None:
    item, run = world.launched(target)
    run = world.tekton.begin(run, tasks=WITH_SIDECAR)
    states: dict[str, Object] = {"step_work": DONE, "sidecar_helper": RUNNING}
    pod = world.tekton.leave_pod(run, "sidecar-helper", **states)
    run = world.tekton.succeed(run)
    is_held(world, item, f"pod {world.execution_namespace}/{name_of(pod)}")

    status = world.ended(item, "Completed")["status"]
    assert status["completionTime"] == run["status"]["completionTime"]
    assert world.tekton.pods.get(world.execution_namespace, name_of(pod)) is None
    eventually_told(world, item, "PodDeleted", name_of(pod))


def test_a_sidecar_that_stops_frees_the_target_without_more(world: World, target: str) -> None:
    item, run = world.launched(target)
    run = world.tekton.begin(run, tasks=WITH_SIDECAR)
    states: dict[str, Object] = {"step_work": DONE, "sidecar_helper": RUNNING}
    pod = world.tekton.leave_pod(run, "sidecar-helper", **states)
    world.tekton.succeed(run)
    is_held(world, item, f"pod {world.execution_namespace}/{name_of(pod)}")
    world.tekton.tell_of_pod(pod, "Succeeded", step_work=DONE, sidecar_helper=DONE)
    world.ended(item, "Completed")
    assert world.tekton.pods.get(world.execution_namespace, name_of(pod)) is not None
    assert "PodDeleted" not in reasons(world, item)


@pytest.mark.parametrize("how", ["Completed", "Failed"])
def test_a_container_that_others_put_in_holds_nothing_and_is_left(
    world: World, target: str, how: str
) -> None:
    item, run = world.launched(target)
    run = world.tekton.begin(run, tasks=ELSEWHERE)
    states: dict[str, Object] = {"step_work": DONE, "istio_proxy": RUNNING}
    pod = world.tekton.leave_pod(run, "istio-proxy", **states)
    end = world.tekton.succeed if how == "Completed" else world.tekton.fail
    end(run)
    world.ended(item, how)
    eventually_told(world, item, "PodLeftAlone", name_of(pod), "istio-proxy")
    world.launched(target, workflow="other")
    assert world.tekton.pods.get(world.execution_namespace, name_of(pod)) is not None


def test_a_sidecar_holds_after_a_restart_too(world: World, target: str) -> None:
    item, run = world.launched(target)
    run = world.tekton.begin(run, tasks=WITH_SIDECAR)
    states: dict[str, Object] = {"step_work": DONE, "sidecar_helper": RUNNING}
    pod = world.tekton.leave_pod(run, "sidecar-helper", **states)
    world.operator.kill()
    world.tekton.succeed(run, completed_at="2026-01-01T00:00:00Z")
    world.operator.start()
    is_held(world, item, f"pod {world.execution_namespace}/{name_of(pod)}")
    world.ended(item, "Completed")


def test_runs_that_succeeded_cost_a_restart_no_read_each(
    bare_cluster: Cluster, target: str
) -> None:
    with open_world(bare_cluster) as world:
        for number in range(5):
            item, run = world.launched(f"{target}-{number}")
            world.tekton.succeed(world.tekton.begin(run, tasks=WITH_SIDECAR))
            world.ended(item, "Completed")
        world.operator.kill()
        before = world.proxy.mark()
        world.operator.start()
        world.completed(f"{target}-last")
        asked = Counter(one.kind for one in world.proxy.since(before))
        # Whether pods may be listed at all, and all active ones.
        assert {kind: asked[kind] for kind in READS} == dict.fromkeys(READS, 0) | {"list pods": 2}


def test_a_task_that_is_not_shown_is_looked_at_once(world: World, target: str) -> None:
    """A task that a pipeline only refers to may have a sidecar."""
    item, run = world.launched(target)
    run = world.tekton.begin(run, tasks=ELSEWHERE)
    before = world.proxy.mark()
    world.tekton.succeed(run)
    world.ended(item, "Completed")
    asked = Counter(one.kind for one in world.proxy.since(before))
    assert {kind: asked[kind] for kind in READS} == {
        "list taskruns": 1,
        "list pods": 1,
        "list customruns": 0,
    }


def test_an_attempt_that_worked_is_told_though_the_last_never_began(
    world: World, target: str
) -> None:
    item, run = world.launched(target)
    run = world.tekton.begin(run)
    first = {
        "podName": "pod-of-the-first",
        "conditions": [_failed("StepFailed", "exit code 1")],
        "steps": [_ended(1, "Error")],
    }
    task = world.tekton.task_runs.get(world.execution_namespace, f"{name_of(run)}-check")
    assert task is not None
    reason = "TaskRunImagePullFailed"
    created = task["metadata"]["creationTimestamp"]
    status = {
        "conditions": [_failed(reason, "failed to pull the image")],
        "completionTime": now(),
        "steps": [{**_ended(1, reason, created), "terminationReason": reason}],
        "retriesStatus": [first],
    }
    world.tekton.task_runs.patch(task, {"status": status}, "status")
    world.tekton.refuse(run, "Failed", "Tasks Completed: 1 (Failed: 1, Cancelled 0), Skipped: 1")

    failure = world.ended(item, "Failed")["status"]["failureDetails"]
    assert (failure["reason"], failure["wasExecutionFailure"]) == ("ImagePullBackOff", True)
    assert "in an earlier attempt of task 'check'" in failure["naturalLanguageSummary"]


def test_nothing_is_told_from_what_was_still_changing(bare_cluster: Cluster, target: str) -> None:
    """Another execution finds out that the run has stopped, before it is looked at again."""
    with open_world(bare_cluster, "--leftover-grace=5m") as world:
        item, run = world.launched(target)
        before = world.proxy.mark()
        run = world.tekton.begin(run)
        said = "Tasks Completed: 1 (Failed: 1, Cancelled 0), Skipped: 1"
        world.tekton.refuse(run, "Failed", said)

        def is_looked_at_rarely() -> None:
            looks = [one for one in world.proxy.since(before) if one.kind == READS[0]]
            assert len(looks) >= 8, len(looks)

        eventually(is_looked_at_rarely, 60, dump=world.dump)
        task = world.tekton.task_runs.get(world.execution_namespace, f"{name_of(run)}-check")
        assert task is not None
        ended = {
            "conditions": [_failed("Failed", "exit code 13")],
            "completionTime": now(),
            "steps": [_ended(13, "Error")],
        }
        world.tekton.task_runs.patch(task, {"status": ended}, "status")
        world.launched_once_free(target, workflow="other")

        failure = world.ended(item, "Failed")["status"]["failureDetails"]
        assert (failure["reason"], failure["failedTaskName"]) == ("TaskFailed", "check")
        assert (failure["failedStepName"], failure["exitCode"]) == ("work", 13)


def _failed(reason: str, message: str) -> Object:
    return {"type": "Succeeded", "status": "False", "reason": reason, "message": message}


def _ended(code: int, reason: str, started_at: str = "2026-01-01T00:00:00Z") -> Object:
    ended = {"exitCode": code, "reason": reason, "startedAt": started_at, "finishedAt": now()}
    return {"name": "work", "container": "step-work", "terminated": ended}
