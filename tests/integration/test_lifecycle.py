"""From deletion to disturbance: what becomes of runs when executions and runs go away."""

from collections.abc import Iterator

import pytest

from harness import faults
from harness.executions import execution, name_of
from harness.faults import Fault
from harness.objects import FINALIZER
from harness.waiting import eventually, holds_for
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object

# Longer than the operator waits between two looks at a run that is stopping.
A_WHILE_S = 2.0


def cancelled(world: World, run: Object) -> Object:
    """Wait until the run has been told to stop."""

    def check() -> Object:
        found = world.run_now(run)
        assert found is not None
        assert found["spec"].get("status") == "Cancelled"
        return found

    return eventually(check, dump=world.dump)


def test_an_execution_goes_only_when_nothing_of_it_runs(world: World, target: str) -> None:
    item, run = world.launched(target)
    assert FINALIZER in item["metadata"]["finalizers"]
    run = world.tekton.begin(run)
    world.executions.delete(item)
    run = cancelled(world, run)
    world.tekton.obey_cancel(run)
    holds_for(lambda: world.read(item), A_WHILE_S)

    world.tekton.stop_tasks(run)
    world.gone(item)
    assert world.run_now(run) is not None


def test_the_target_stays_held_while_a_deleted_execution_stops(world: World, target: str) -> None:
    item, run = world.launched(target)
    run = world.tekton.begin(run)
    world.executions.delete(item)
    cancelled(world, run)
    second = world.ended(world.create(target, workflow="other"), "Skipped")
    conflict = second["status"]["skipDetails"]["conflictingWorkflow"]
    assert conflict["name"] == name_of(item)

    world.tekton.obey_cancel(run)
    world.tekton.stop_tasks(run)
    world.gone(item)
    world.launched(target, workflow="other")


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

    impatient.gone(item)
    assert impatient.run_now(run) is None
    task_runs = impatient.tekton.task_runs.list(impatient.execution_namespace)
    assert not [one for one in task_runs if name_of(one).startswith(name_of(run))]


def test_a_run_that_nobody_began_is_cancelled_too(world: World, target: str) -> None:
    item, run = world.launched(target)
    world.executions.delete(item)
    world.tekton.obey_cancel(cancelled(world, run))
    world.gone(item)


def test_an_execution_that_was_never_launched_goes_at_once(world: World, target: str) -> None:
    world.launched(target)
    skipped = world.ended(world.create(target), "Skipped")
    assert "finalizers" not in skipped["metadata"]
    world.executions.delete(skipped)
    assert world.executions.get(world.source, name_of(skipped)) is None


def test_the_finalizers_of_others_are_kept(world: World, target: str) -> None:
    item = execution(target, namespace=world.source)
    item["metadata"]["finalizers"] = ["example.com/keep"]
    item = world.executions.create(item)
    run = world.run_of(item)
    world.tekton.begin(run)
    world.tekton.succeed(run)
    world.ended(item, "Completed")
    world.executions.delete(item)

    def ours_is_gone() -> None:
        assert world.read(item)["metadata"]["finalizers"] == ["example.com/keep"]

    eventually(ours_is_gone)
    world.executions.patch(item, {"metadata": {"finalizers": None}})
    world.gone(item)


def test_a_name_used_again_is_another_execution(world: World, target: str) -> None:
    """The old run is not taken up: its owner is known by UID, not by name."""
    first, run = world.completed(target, name="again")
    world.executions.delete(first)
    world.gone(first)
    second = world.ended(world.create(target, name="again"), "Skipped")
    assert second["status"]["skipDetails"]["reason"] == "RecentlyRemediated"

    third, another = world.launched(target, name="once-more", workflow="other")
    assert name_of(another) != name_of(run)
    world.executions.delete(third)
    world.tekton.obey_cancel(cancelled(world, another))
    world.gone(third)
    fourth, run = world.launched(target, name="once-more", workflow="third")
    assert (
        run["metadata"]["annotations"]["kubernaut.ai/workflow-execution-uid"]
        == (fourth["metadata"]["uid"])
    )


@pytest.mark.parametrize("begun", [False, True])
def test_a_run_deleted_by_somebody_else_fails_its_execution(
    world: World, target: str, begun: bool
) -> None:
    item, run = world.launched(target)
    if begun:
        world.tekton.begin(run)

        def mirrored() -> None:
            assert world.read(item)["status"]["pipelineRunStatus"].get("reason") == "Running"

        eventually(mirrored, dump=world.dump)
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


def test_an_execution_deleted_while_nobody_watched_is_let_go(world: World, target: str) -> None:
    item, run = world.launched(target)
    run = world.tekton.begin(run)
    world.operator.kill()
    world.executions.delete(item)
    world.operator.start()

    world.tekton.obey_cancel(cancelled(world, run))
    world.tekton.stop_tasks(run)
    world.gone(item)


def test_an_execution_deleted_before_it_is_seen_leaves_no_run(world: World, target: str) -> None:
    """Deleted between our having seen it and the finalizer: there must be no run without owner."""
    held: list[Object] = []

    async def delete_first(_: object) -> None:
        world.executions.delete(held[0])

    finalizer = faults.kind("patch workflowexecutions")
    item = execution(target, namespace=world.source)
    held.append(item)
    fault = world.proxy.inject(Fault(matches=finalizer, when="before", act=delete_first))
    item = world.executions.create(item)
    world.gone(item)

    def struck() -> None:
        assert fault.struck == 1

    eventually(struck)
    world.proxy.faults.clear()
    world.launched(target)
    assert len(world.runs(target)) == 1


def test_an_execution_whose_namespace_goes_is_let_go(bare_cluster: Cluster, target: str) -> None:
    with open_world(bare_cluster) as world:
        item, run = world.launched(target, namespace=world.sources[1])
        run = world.tekton.begin(run)
        bare_cluster.request("DELETE", f"/api/v1/namespaces/{world.sources[1]}")
        world.tekton.obey_cancel(cancelled(world, run))
        world.tekton.stop_tasks(run)
        world.gone(item)
