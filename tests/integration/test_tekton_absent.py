"""Tekton is not there: the run waits, then is given up, and its target stays held."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.executions import condition_of, name_of
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster


@pytest.fixture(scope="module")
def hasty_world(bare_cluster: Cluster) -> Iterator[World]:
    """An operator that gives a run up two seconds after its limit."""
    with open_world(bare_cluster, "--deadline-grace=2s") as opened:
        yield opened


def test_a_run_nobody_ends_is_given_up_and_still_holds_its_target(
    hasty_world: World, target: str
) -> None:
    item, run = hasty_world.launched(target, executionConfig={"timeout": "1s"})

    failure = hasty_world.ended(item, "Failed")["status"]["failureDetails"]

    assert failure["reason"] == "DeadlineExceeded"
    assert failure["wasExecutionFailure"] is False
    assert (
        f"Tekton has not ended PipelineRun {hasty_world.execution_namespace}/{name_of(run)}"
        in (failure["message"])
    )

    def is_cancelled() -> None:
        left = hasty_world.run_now(run)
        assert left is not None
        assert left["spec"].get("status") == "Cancelled"

    eventually(is_cancelled)

    other = hasty_world.ended(hasty_world.create(target, workflow="another"), "Skipped")
    skip = other["status"]["skipDetails"]
    assert skip["reason"] == "ResourceBusy"
    assert skip["conflictingWorkflow"]["name"] == name_of(item)


def test_a_run_nobody_takes_up_is_told(hasty_world: World, target: str) -> None:
    item, run = hasty_world.launched(target)

    def is_told() -> None:
        condition = condition_of(hasty_world.read(item), "Succeeded")
        assert (condition["status"], condition["reason"]) == ("Unknown", "WaitingForTekton")
        assert "is Tekton's controller running?" in condition["message"]

    eventually(is_told, 60, dump=hasty_world.dump)
    hasty_world.tekton.begin(run)
    hasty_world.tekton.succeed(run)
    hasty_world.ended(item, "Completed")


def test_a_target_is_free_once_tekton_is_back_and_has_stopped_the_run(
    hasty_world: World, target: str
) -> None:
    item, run = hasty_world.launched(target, executionConfig={"timeout": "1s"})
    hasty_world.ended(item, "Failed")

    hasty_world.tekton.obey_cancel(run)

    hasty_world.launched_once_free(target, workflow="another")


def test_a_run_that_has_ended_unseen_is_not_given_up(hasty_world: World, target: str) -> None:
    """Giving up is final: the run is read first, whatever the watch has told or kept back."""
    item, run = hasty_world.launched(target, executionConfig={"timeout": "3s"})
    hasty_world.proxy.withheld.add("pipelineruns")
    try:
        run = hasty_world.tekton.begin(run)
        hasty_world.tekton.succeed(run)
        hasty_world.ended(item, "Completed")
    finally:
        hasty_world.proxy.withheld.clear()


def test_a_run_that_was_given_up_holds_its_target_when_it_is_deleted(
    hasty_world: World, target: str
) -> None:
    item, run = hasty_world.launched(target, executionConfig={"timeout": "1s"})
    pod = hasty_world.tekton.leave_pod(run)
    hasty_world.ended(item, "Failed")
    hasty_world.tekton.runs.delete(run)
    other = hasty_world.ended(hasty_world.create(target, workflow="another"), "Skipped")
    assert other["status"]["skipDetails"]["reason"] == "ResourceBusy"
    hasty_world.tekton.pods.delete(pod)
    hasty_world.launched_once_free(target, workflow="another")
