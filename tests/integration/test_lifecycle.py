"""From deletion to disturbance: what becomes of runs when executions and runs go away."""

from collections.abc import Iterator

import pytest

from harness import faults
from harness.executions import execution, name_of
from harness.faults import Fault
from harness.objects import OLD_FINALIZER
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object


def cancelled(world: World, run: Object) -> Object:
    """Wait until the run has been told to stop."""

    def check() -> Object:
        found = world.run_now(run)
        assert found is not None
        assert found["spec"].get("status") == "Cancelled"
        return found

    return eventually(check, dump=world.dump)


def test_an_execution_goes_at_once_and_its_run_holds_the_target(world: World, target: str) -> None:
    item, run = world.launched(target)
    run = world.tekton.begin(run)
    world.executions.delete(item)
    assert world.executions.get(world.source, name_of(item)) is None
    cancelled(world, run)
    second = world.ended(world.create(target, workflow="other"), "Skipped")
    conflict = second["status"]["skipDetails"]["conflictingWorkflow"]
    assert conflict["name"] == name_of(item)

    world.tekton.obey_cancel(run)
    third = world.ended(world.create(target, workflow="other"), "Skipped")
    assert third["status"]["skipDetails"]["reason"] == "ResourceBusy"

    world.tekton.stop_tasks(run)
    world.launched_once_free(target, workflow="other")
    assert world.run_now(run) is not None


@pytest.fixture(scope="module")
def impatient(bare_cluster: Cluster) -> Iterator[World]:
    """A world in which a cancelled run gets but a moment to stop."""
    with open_world(bare_cluster, "--cancel-grace=2s") as opened:
        yield opened


def test_a_run_that_does_not_stop_is_deleted(impatient: World, target: str) -> None:
    item, run = impatient.launched(target)
    run = impatient.tekton.begin(run)
    impatient.executions.delete(item)
    cancelled(impatient, run)

    def deleted() -> None:
        assert impatient.run_now(run) is None
        task_runs = impatient.tekton.task_runs.list(impatient.execution_namespace)
        assert not [one for one in task_runs if name_of(one).startswith(name_of(run))]

    # The garbage collector of a cluster that has just started learns of new kinds every 30 s.
    eventually(deleted, 60, dump=impatient.dump)
    impatient.launched_once_free(target, workflow="other")


def test_a_run_that_nobody_began_is_cancelled_too(world: World, target: str) -> None:
    item, run = world.launched(target)
    world.executions.delete(item)
    world.tekton.obey_cancel(cancelled(world, run))
    world.gone(item)


def test_no_finalizer_is_put_on_an_execution(world: World, target: str) -> None:
    launched, _ = world.launched(target)
    skipped = world.ended(world.create(target), "Skipped")
    for item in (launched, skipped):
        assert "finalizers" not in world.read(item)["metadata"]
        world.executions.delete(item)
        assert world.executions.get(world.source, name_of(item)) is None


@pytest.mark.parametrize("ended", [False, True])
def test_the_finalizer_of_earlier_controllers_is_taken_off(
    world: World, target: str, ended: bool
) -> None:
    item, run = world.launched(target)
    if ended:
        world.tekton.begin(run)
        world.tekton.succeed(run)
        item = world.ended(item, "Completed")
    both = ["example.com/keep", OLD_FINALIZER]
    world.executions.patch(item, {"metadata": {"finalizers": both}})

    def ours_is_gone() -> None:
        assert world.read(item)["metadata"]["finalizers"] == ["example.com/keep"]

    eventually(ours_is_gone)
    world.executions.patch(item, {"metadata": {"finalizers": None}})


def test_an_execution_that_is_kept_by_others_while_deleted_loses_its_run(
    world: World, target: str
) -> None:
    item = execution(target, namespace=world.source)
    item["metadata"]["finalizers"] = ["example.com/keep"]
    item = world.executions.create(item)
    run = world.tekton.begin(world.run_of(item))
    world.executions.delete(item)
    run = cancelled(world, run)
    world.tekton.obey_cancel(run)
    world.tekton.stop_tasks(run)
    world.ended(item, "Failed")
    world.executions.patch(item, {"metadata": {"finalizers": None}})
    world.gone(item)


def test_a_name_used_again_is_another_execution(world: World, target: str) -> None:
    """The old run is not taken up: its owner is known by UID, not by name."""
    first, _ = world.completed(target, name="again")
    world.executions.delete(first)
    world.gone(first)
    second = world.ended(world.create(target, name="again"), "Skipped")
    assert second["status"]["skipDetails"]["reason"] == "RecentlyRemediated"
    assert len(world.runs(target)) == 1


@pytest.mark.parametrize("begun", [False, True])
def test_a_run_deleted_by_somebody_else_fails_its_execution(
    world: World, target: str, begun: bool
) -> None:
    item, run = world.launched(target)
    if begun:
        world.tekton.begin(run)

        def reported() -> None:
            assert world.read(item)["status"]["pipelineRunStatus"].get("reason") == "Running"

        eventually(reported, dump=world.dump)
    world.tekton.runs.delete(run)

    details = world.ended(item, "Failed")["status"]["failureDetails"]
    assert f"{world.execution_namespace}/{name_of(run)} was deleted" in details["message"]
    assert details["wasExecutionFailure"] is begun
    world.launched(target, workflow="other")


def test_a_run_deleted_right_after_it_began_may_have_changed_something(
    world: World, target: str
) -> None:
    """Its TaskRuns go with it, and its progress is not written yet: it is known all the same."""
    item, run = world.launched(target)
    run = world.tekton.begin(run)
    world.tekton.runs.delete(run)

    details = world.ended(item, "Failed")["status"]["failureDetails"]
    assert details["wasExecutionFailure"] is True
    assert "may have been changed" in details["naturalLanguageSummary"]


def test_a_run_deleted_while_nobody_watched_fails_its_execution(world: World, target: str) -> None:
    item, run = world.launched(target)
    world.operator.kill()
    world.tekton.runs.delete(run)
    world.operator.start()

    details = world.ended(item, "Failed")["status"]["failureDetails"]
    assert "was deleted by somebody else" in details["message"]
    # Nobody knows how far it had got, so it may have changed something.
    assert details["wasExecutionFailure"] is True


def test_an_execution_deleted_while_nobody_watched_leaves_no_run(world: World, target: str) -> None:
    item, run = world.launched(target)
    run = world.tekton.begin(run)
    world.operator.kill()
    world.executions.delete(item)
    world.gone(item)
    world.operator.start()

    world.tekton.obey_cancel(cancelled(world, run))
    held = world.ended(world.create(target, workflow="other"), "Skipped")
    assert held["status"]["skipDetails"]["reason"] == "ResourceBusy"
    world.tekton.stop_tasks(run)
    world.launched_once_free(target, workflow="other")


def test_an_execution_deleted_while_its_run_is_created_leaves_no_run(
    world: World, target: str
) -> None:
    held: list[Object] = []

    async def delete_first(_: object) -> None:
        world.executions.delete(held[0])

    create = faults.kind("create pipelineruns")
    item = execution(target, namespace=world.source)
    held.append(item)
    fault = world.proxy.inject(Fault(matches=create, when="before", act=delete_first))
    item = world.executions.create(item)
    world.gone(item)
    cancelled(world, world.run_of(item))
    assert fault.struck == 1
    world.proxy.faults.clear()


def test_a_namespace_goes_while_nobody_watches(bare_cluster: Cluster, target: str) -> None:
    """It does not wait for the operator, and the runs of what was in it are cancelled later."""
    with open_world(bare_cluster) as world:
        item, run = world.launched(target, namespace=world.sources[1])
        run = world.tekton.begin(run)
        world.operator.kill()
        path = f"/api/v1/namespaces/{world.sources[1]}"
        bare_cluster.request("DELETE", path)
        world.gone(item)
        world.operator.start()
        cancelled(world, run)
