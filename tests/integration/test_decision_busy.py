"""ResourceBusy: whoever comes while a run is unfinished is told by whom the target is held."""

import pytest

from harness.executions import condition_of, name_of, phase_of, unique
from harness.waiting import eventually
from harness.world import World
from localcluster.cluster import Object


def conflict_of(item: Object) -> Object:
    """The holder that a skip names, after checks that apply to every such skip."""
    status = item["status"]
    details = status["skipDetails"]
    assert details["reason"] == "ResourceBusy"
    assert details["skippedAt"] == status["completionTime"]
    assert "recentRemediation" not in details
    assert "pipelineRunRef" not in status
    assert "failureDetails" not in status
    assert condition_of(item, "Succeeded")["status"] == "False"
    assert condition_of(item, "Succeeded")["reason"] == "ResourceBusy"
    assert condition_of(item, "Reconciling")["status"] == "False"
    conflict: Object = details["conflictingWorkflow"]
    return conflict


@pytest.mark.parametrize("form", ["payment/Deployment/{}", "Node/{}"])
@pytest.mark.parametrize("workflow", ["restart", "another-workflow"])
def test_any_workflow_is_skipped_while_the_target_is_held(
    world: World, form: str, workflow: str
) -> None:
    target = form.format(unique("held"))
    holder, _ = world.launched(target)
    second = world.ended(world.create(target, workflow=workflow), "Skipped")

    assert conflict_of(second) == {
        "name": name_of(holder),
        "namespace": world.source,
        "workflowId": "restart",
        "startedAt": holder["status"]["startTime"],
        "targetResource": target,
        "remediationRequestRef": {"name": "request-1", "namespace": world.source},
    }
    assert len(world.runs(target)) == 1


def test_a_holder_in_another_namespace_holds_too(world: World, target: str) -> None:
    holder, _ = world.launched(target, namespace=world.sources[1])
    second = world.ended(world.create(target), "Skipped")

    conflict = conflict_of(second)
    assert (conflict["namespace"], conflict["name"]) == (world.sources[1], name_of(holder))


def test_the_request_of_a_holder_is_named_when_the_holder_is_deleted(
    world: World, target: str
) -> None:
    request = {"name": "disk-full", "namespace": "requests", "uid": "uid-1", "kind": "Any"}
    holder, run = world.launched(target, remediationRequestRef=request)
    assert run["metadata"]["labels"]["kubernaut.ai/remediation-request"] == "disk-full"
    # Tekton does not take the request to cancel, so the run still holds the target.
    world.executions.delete(holder)
    world.gone(holder)
    second = world.ended(world.create(target), "Skipped")

    named = conflict_of(second)["remediationRequestRef"]
    assert named == {"name": "disk-full", "namespace": "requests", "uid": "uid-1"}
    assert condition_of(second, "ResourceLocked")["reason"] == "TargetResourceBusy"


def test_executions_of_one_name_in_two_namespaces_are_two(world: World, target: str) -> None:
    first, _ = world.launched(target, name="same-name", namespace=world.sources[0])
    second = world.ended(
        world.create(target, name="same-name", namespace=world.sources[1]), "Skipped"
    )
    assert conflict_of(second)["namespace"] == first["metadata"]["namespace"]


def test_targets_that_differ_in_their_kind_or_name_are_different(world: World, target: str) -> None:
    world.launched(target)
    world.launched(target.replace("Deployment", "StatefulSet"))
    world.launched(f"{target}-canary")


def test_a_skip_is_final_when_the_target_is_free_again(world: World, target: str) -> None:
    holder, run = world.launched(target)
    second = world.ended(world.create(target, workflow="other"), "Skipped")
    world.tekton.begin(run)
    world.tekton.succeed(run)
    world.ended(holder, "Completed")
    world.launched(target, workflow="third")

    assert (
        world.read(second)["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]
    )


def test_a_cancelled_run_holds_until_its_tasks_have_stopped(world: World, target: str) -> None:
    holder, run = world.launched(target)
    run = world.tekton.begin(run)
    world.tekton.obey_cancel(run)
    second = world.ended(world.create(target, workflow="other"), "Skipped")
    assert conflict_of(second)["name"] == name_of(holder)

    world.tekton.stop_tasks(run)
    world.ended(holder, "Failed")
    world.launched(target, workflow="other")


@pytest.mark.parametrize("labelled", [False, True])
def test_a_foreign_run_with_our_number_is_respected(
    world: World, target: str, labelled: bool
) -> None:
    """Somebody else's run under the name we would take: it holds, and it is never touched."""
    taken = name_of(world.completed(target)[1])
    name = f"{taken.rpartition('-')[0]}-2"
    foreign = world.tekton.runs.create(
        {
            "apiVersion": "tekton.dev/v1",
            "kind": "PipelineRun",
            "metadata": {
                "name": name,
                "namespace": world.execution_namespace,
                "labels": {"kubernaut.ai/workflow-execution": "made-by-hand"} if labelled else {},
            },
            "spec": {"pipelineRef": {"name": "something-else"}},
        }
    )
    item = world.ended(world.create(target, workflow="other"), "Skipped")
    assert conflict_of(item)["name"] == name
    world.executions.delete(item)
    world.gone(item)

    now = world.run_now(foreign)
    assert now is not None
    assert now["metadata"]["resourceVersion"] == foreign["metadata"]["resourceVersion"]
    world.tekton.succeed(foreign)
    eventually(lambda: launch_or_skip(world, target))


def launch_or_skip(world: World, target: str) -> None:
    """Create one more execution, of a workflow of its own; it must be launched.

    What was read of a foreign run may be trusted for a second: nobody tells us of its changes.
    """
    item = world.create(target, workflow=unique("workflow"))

    def decided() -> str:
        phase = phase_of(world.read(item))
        assert phase
        return phase

    assert eventually(decided) == "Running"
