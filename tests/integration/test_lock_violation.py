"""Two active runs on one target, which must never be: forced by hand, seen, told, put right."""

from __future__ import annotations

import copy

from harness.executions import name_of
from harness.waiting import eventually
from harness.world import UID, World, open_world
from localcluster import Cluster
from localcluster.cluster import Object


def _in_slot(run: Object, number: int, owner_uid: str) -> Object:
    """Another run on the same target, in another slot and for another execution."""
    twin = copy.deepcopy(run)
    meta = run["metadata"]
    twin["metadata"] = {
        "name": f"{name_of(run).rsplit('-', 1)[0]}-{number}",
        "namespace": meta["namespace"],
        "labels": meta["labels"],
        "annotations": {**meta["annotations"], UID: owner_uid},
    }
    twin.pop("status", None)
    return twin


def test_the_younger_of_two_active_runs_gives_way(bare_cluster: Cluster, target: str) -> None:
    with open_world(bare_cluster, alarm=True) as world:
        _, done = world.completed(target, workflow="another")
        world.operator.stop()
        item = world.create(target)
        older = world.tekton.runs.create(_in_slot(done, 2, "uid-of-nobody"))
        younger = world.tekton.runs.create(_in_slot(done, 3, item["metadata"]["uid"]))

        world.operator.start()

        eventually(lambda: _assert_cancelled(world, younger), dump=world.dump)
        eventually(lambda: _assert_told(world, item), dump=world.dump)
        assert world.operator.metric("workflowexecution_lock_violations_total") == 1
        kept = world.run_now(older)
        assert kept is not None
        assert "status" not in kept["spec"]
        world.tekton.obey_cancel(younger)
        world.ended(item, "Failed")


def test_a_run_that_comes_after_its_execution_was_skipped_is_cancelled(
    bare_cluster: Cluster, target: str
) -> None:
    with open_world(bare_cluster, alarm=True) as world:
        _, holder = world.launched(target)
        skipped = world.ended(world.create(target), "Skipped")

        late = world.tekton.runs.create(_in_slot(holder, 2, skipped["metadata"]["uid"]))

        eventually(lambda: _assert_cancelled(world, late), dump=world.dump)
        eventually(lambda: _assert_told(world, skipped), dump=world.dump)
        assert world.read(skipped)["status"] == skipped["status"]


def _assert_cancelled(world: World, run: Object) -> None:
    found = world.run_now(run)
    assert found is not None
    assert found["spec"].get("status") == "Cancelled"


def _assert_told(world: World, item: Object) -> None:
    told = {(event["type"], event["reason"]) for event in world.events_of(item)}
    assert ("Warning", "LockViolated") in told
