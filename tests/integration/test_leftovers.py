"""Pods that Tekton leaves hold their target, and are ended after the grace, whoever is gone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.executions import condition_of, name_of
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object


@pytest.fixture(scope="module")
def world(bare_cluster: Cluster) -> Iterator[World]:
    """An operator that leaves pods a few seconds to stop by themselves."""
    with open_world(bare_cluster, "--leftover-grace=3s") as opened:
        yield opened


def _assert_gone(world: World, pod: Object) -> None:
    assert world.tekton.pods.get(world.execution_namespace, name_of(pod)) is None


def _assert_busy(world: World, target: str) -> None:
    skipped = world.ended(world.create(target, workflow="other"), "Skipped")
    assert skipped["status"]["skipDetails"]["reason"] == "ResourceBusy"


def test_a_pod_that_a_failed_run_left_is_ended_after_the_grace(world: World, target: str) -> None:
    item, run = world.launched(target)
    run = world.tekton.begin(run)
    pod = world.tekton.leave_pod(run)
    world.tekton.fail(run)

    def is_told() -> None:
        condition = condition_of(world.read(item), "Succeeded")
        assert condition["reason"] == "Stopping"
        assert f"until pod {world.execution_namespace}/{name_of(pod)}" in condition["message"]

    eventually(is_told, dump=world.dump)
    _assert_busy(world, target)

    failure = world.ended(item, "Failed")["status"]["failureDetails"]
    assert failure["reason"] == "TaskFailed"
    _assert_gone(world, pod)
    assert world.operator.metric("workflowexecution_leftover_pods_deleted_total") >= 1
    world.launched(target, workflow="other")


def test_a_pod_of_a_run_that_was_deleted_while_nobody_watched(world: World, target: str) -> None:
    """Its execution, its run and its TaskRuns are gone: the pod alone says that it is there."""
    item, run = world.launched(target)
    pod = world.tekton.leave_pod(run)
    world.operator.kill()
    world.executions.delete(item)
    world.tekton.runs.delete(run)
    world.operator.start()

    _assert_busy(world, target)
    eventually(lambda: _assert_gone(world, pod), dump=world.dump)
    world.launched_once_free(target, workflow="other")


def test_a_pod_of_a_failed_run_after_a_restart(world: World, target: str) -> None:
    """Its execution has ended by another's doing; the run failed long ago."""
    item, run = world.launched(target)
    run = world.tekton.begin(run)
    world.operator.kill()
    world.executions.delete(item)
    world.tekton.fail(run, completed_at="2026-01-01T00:00:00Z")
    pod = world.tekton.leave_pod(run)
    world.operator.start()

    _assert_busy(world, target)
    eventually(lambda: _assert_gone(world, pod), dump=world.dump)


def test_a_pod_of_a_rerun_by_a_person_holds_too(world: World, target: str) -> None:
    _, done = world.completed(target)
    meta = done["metadata"]
    again = {
        **{key: done[key] for key in ("apiVersion", "kind", "spec")},
        "metadata": {
            "name": f"{name_of(done)}-r-abc12",
            **{key: meta[key] for key in ("namespace", "labels", "annotations")},
        },
    }
    run = world.tekton.begin(world.tekton.runs.create(again))
    pod = world.tekton.leave_pod(run)
    world.tekton.fail(run)
    _assert_busy(world, target)
    eventually(lambda: _assert_gone(world, pod), dump=world.dump)
    world.launched_once_free(target, workflow="other")
