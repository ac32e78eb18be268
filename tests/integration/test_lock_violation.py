"""Two active runs on one target, which must never be: forced by hand, seen, told, put right."""

from __future__ import annotations

import copy

from harness.executions import name_of
from harness.waiting import eventually
from harness.world import UID, World, open_world
from localcluster import Cluster
from localcluster.cluster import Object

NAME = "kubernaut.ai/workflow-execution"


def _numbered(run: Object, number: int, owner: Object) -> Object:
    """Another run on the same target, with another run number and for another execution."""
    twin = copy.deepcopy(run)
    meta = run["metadata"]
    twin["metadata"] = {
        "name": f"{name_of(run).rsplit('-', 1)[0]}-{number}",
        "namespace": meta["namespace"],
        "labels": meta["labels"],
        "annotations": {**meta["annotations"], UID: owner["metadata"]["uid"], NAME: name_of(owner)},
    }
    twin.pop("status", None)
    return twin


def _rerun(run: Object) -> Object:
    """The rerun that a dashboard makes of a run: all of it, under a name of its own."""
    again = _numbered(run, 2, run)
    again["metadata"]["annotations"] = run["metadata"]["annotations"]
    again["metadata"]["name"] = f"{name_of(run)}-r-abc12"
    return again


def test_a_rerun_by_a_person_holds_its_target(world: World, target: str) -> None:
    _, done = world.completed(target, workflow="another")
    again = world.tekton.runs.create(_rerun(done))

    def is_held() -> None:
        skipped = world.ended(world.create(target), "Skipped")["status"]["skipDetails"]
        assert skipped["reason"] == "ResourceBusy"
        assert skipped["conflictingWorkflow"]["name"] == name_of(again)

    eventually(is_held, dump=world.dump)
    world.tekton.begin(again)
    world.tekton.succeed(again)
    world.launched(target)


def test_the_younger_of_two_active_runs_gives_way(bare_cluster: Cluster, target: str) -> None:
    with open_world(bare_cluster, alarm=True) as world:
        _, done = world.completed(target, workflow="another")
        world.operator.stop()
        item = world.create(target)
        # A person's, under a name of their own: it is nobody's to cancel.
        older = world.tekton.runs.create(_rerun(done))
        younger = world.tekton.runs.create(_numbered(done, 3, item))

        world.operator.start()

        eventually(lambda: _assert_cancelled(world, younger), dump=world.dump)
        eventually(lambda: _assert_told(world, item, "LockViolated"), dump=world.dump)
        assert world.operator.metric("workflowexecution_lock_violations_total") == 1
        kept = world.run_now(older)
        assert kept is not None
        assert "status" not in kept["spec"]
        world.tekton.obey_cancel(younger)
        world.ended(item, "Failed")


def test_a_run_that_comes_after_its_execution_was_skipped_is_cancelled(
    bare_cluster: Cluster, target: str
) -> None:
    with open_world(bare_cluster) as world:
        _, holder = world.launched(target)
        skipped = world.ended(world.create(target), "Skipped")
        world.tekton.begin(holder)
        world.tekton.succeed(holder)

        late = world.tekton.runs.create(_numbered(holder, 2, skipped))

        eventually(lambda: _assert_cancelled(world, late), dump=world.dump)
        eventually(lambda: _assert_told(world, skipped, "PipelineRunCancelled"), dump=world.dump)
        assert world.read(skipped)["status"] == skipped["status"]
        assert world.operator.metric("workflowexecution_lock_violations_total") == 0


def _assert_cancelled(world: World, run: Object) -> None:
    found = world.run_now(run)
    assert found is not None
    assert found["spec"].get("status") == "Cancelled"


def _assert_told(world: World, item: Object, reason: str) -> None:
    told = {(event["type"], event["reason"]) for event in world.events_of(item)}
    assert ("Warning", reason) in told
