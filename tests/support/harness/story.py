"""Everything that an operator ever does, in one story."""

from __future__ import annotations

from harness import faults
from harness.executions import condition_of
from harness.faults import Fault
from harness.objects import OLD_FINALIZER
from harness.tekton import APPROVAL
from harness.waiting import eventually
from harness.world import World
from localcluster.cluster import Object

# Short enough that what is waited for comes within the story.
FLAGS = (
    "--cancel-grace=1s",
    "--leftover-grace=1s",
    "--cooldown=3s",
    "--run-retention=4s",
    "--resync-interval=2s",
)


def play(world: World, target: str) -> None:
    """Play it; the operator of the world must have been started with FLAGS."""
    _, run = world.completed(target)
    world.ended(world.create(target), "Skipped")
    world.ended(world.create(_held(world, f"{target}-held")), "Skipped")
    _fail_after_a_lost_write(world, f"{target}-fails")
    _wait_in_vain(world, f"{target}-waits")
    deleted = _delete(world, f"{target}-deleted")
    _leave_a_pod_and_an_old_finalizer(world, f"{target}-old")
    _leave_a_custom_task(world, f"{target}-asks")
    # The garbage collector ends what is deleted from the foreground, retention what is old.
    for gone in (deleted, run):
        eventually(lambda what=gone: _assert_gone(world, what), 30, dump=world.dump)  # type: ignore[misc]


def _held(world: World, target: str) -> str:
    world.launched(target)
    return target


def _fail_after_a_lost_write(world: World, target: str) -> None:
    conflict = Fault(
        matches=faults.kind("patch workflowexecutions/status"),
        when="before",
        act=faults.answer(409, "Conflict"),
    )
    lost = Fault(matches=faults.kind("create pipelineruns"), when="after", act=faults.drop)
    world.proxy.inject(conflict)
    world.proxy.inject(lost)
    item, run = world.launched(target)
    world.tekton.begin(run)
    world.tekton.fail(run)
    world.ended(item, "Failed")


def _wait_in_vain(world: World, target: str) -> None:
    """Have a run end at its time limit before any task of it was made: Events tell why."""
    item, run = world.launched(target)
    pipeline = {"pipelineSpec": {"tasks": [{"name": "work", "taskRef": {"name": "none"}}]}}
    run = world.tekton.runs.patch(world.tekton.accept(run), {"status": pipeline}, "status")
    world.tekton.time_out(run)
    world.ended(item, "Failed")


def _delete(world: World, target: str) -> Object:
    """Delete an execution whose run does not stop when it is cancelled, and so is deleted."""
    item, run = world.launched(target)
    run = world.tekton.begin(run)
    world.executions.delete(item)
    return run


def _leave_a_pod_and_an_old_finalizer(world: World, target: str) -> None:
    item, run = world.launched(target)
    world.executions.patch(item, {"metadata": {"finalizers": [OLD_FINALIZER]}})
    world.tekton.leave_pod(run)
    world.tekton.fail(world.tekton.begin(run))
    ended = world.ended(item, "Failed", 60)
    assert condition_of(ended, "Succeeded")["reason"] == "TaskFailed"
    assert not ended["metadata"].get("finalizers")


def _leave_a_custom_task(world: World, target: str) -> None:
    item, run = world.launched(target)
    run = world.tekton.begin(run, tasks=[{"name": "approve", "taskRef": APPROVAL}])
    world.tekton.time_out(run)
    world.ended(item, "Failed", 60)


def _assert_gone(world: World, run: Object) -> None:
    found = world.run_now(run)
    assert found is None or found["metadata"]["uid"] != run["metadata"]["uid"], "still there"
