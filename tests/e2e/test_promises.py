"""The promises to users are kept with real Tekton and real containers."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from e2e.watching import END_S, live_pods, task_runs, until_a_step_runs
from e2e.workload import restarted_at
from harness.executions import condition_of, name_of, unique_target
from harness.waiting import eventually
from harness.world import World
from localcluster.cluster import Cluster, Object


def _workflow(bundles: Mapping[str, str], name: str) -> Object:
    return {
        "workflow": name,
        "workflowRef": {"workflowId": name, "version": "1", "containerImage": bundles[name]},
    }


def _holding(world: World, bundles: Mapping[str, str], target: str, seconds: int = 600) -> Object:
    """An execution that is Running, in a container that really runs."""
    item = world.create(target, **_workflow(bundles, "wait"), parameters={"SECONDS": str(seconds)})
    world.in_phase(item, "Running", END_S)
    until_a_step_runs(world, world.run_of(item))
    return item


def _end(world: World, item: Object) -> None:
    world.executions.delete(item)
    world.gone(item, END_S)


def test_success_changes_the_target_and_is_told_in_full(
    node_world: World, node_cluster: Cluster, bundles: Mapping[str, str], deployment: str
) -> None:
    item = node_world.create(deployment, **_workflow(bundles, "restart-workload"))

    status = node_world.ended(item, "Completed", END_S)["status"]

    assert restarted_at(node_cluster, deployment)
    assert status["pipelineRunStatus"] == {
        "status": "True",
        "reason": "Succeeded",
        "message": "Tasks Completed: 1 (Failed: 0, Cancelled 0), Skipped: 0",
        "completedTasks": 1,
        "totalTasks": 1,
    }
    started, completed = (
        datetime.fromisoformat(status[key]) for key in ("startTime", "completionTime")
    )
    assert status["duration"] == f"{(completed - started).seconds}s"
    succeeded = condition_of({"status": status}, "Succeeded")
    assert succeeded["status"] == "True"
    assert re.match(
        r"before: generation 1, 1 of 1 pods ready, restarted never; "
        r"after: generation 2, 1 of 1 pods ready, restarted \S+Z$",
        succeeded["message"],
    )

    def assert_recorded() -> None:
        reasons = {event["reason"] for event in node_world.events_of(item)}
        assert reasons == {"PipelineRunCreated", "WorkflowCompleted"}

    # Events are written beside the work.
    eventually(assert_recorded, END_S, dump=node_world.dump)


def test_failure_names_task_step_and_exit_code(
    node_world: World, bundles: Mapping[str, str], target: str
) -> None:
    item = node_world.create(target, **_workflow(bundles, "always-fails"))

    failure = node_world.ended(item, "Failed", END_S)["status"]["failureDetails"]

    told = {key: failure.get(key) for key in failure if key.startswith(("failedS", "failedT"))}
    assert told == {"failedTaskIndex": 1, "failedTaskName": "repair", "failedStepName": "apply"}
    assert (failure["reason"], failure["exitCode"]) == ("TaskFailed", 7)
    assert failure["wasExecutionFailure"] is True
    assert re.search(
        r"; see: kubectl logs -n \S+ \S+-repair-pod -c step-apply$", failure["message"]
    )


def test_timeout_ends_the_run_and_says_so(
    node_world: World, bundles: Mapping[str, str], target: str
) -> None:
    item = node_world.create(
        target,
        **_workflow(bundles, "wait"),
        parameters={"SECONDS": "600"},
        executionConfig={"timeout": "8s"},
    )

    failure = node_world.ended(item, "Failed", END_S)["status"]["failureDetails"]

    assert failure["reason"] == "DeadlineExceeded"
    assert failure["failedTaskName"] == "wait"
    assert failure["wasExecutionFailure"] is True


def test_a_held_target_is_busy_for_every_workflow_and_form(
    node_world: World, bundles: Mapping[str, str], target: str
) -> None:
    for held in (target, f"Node/{unique_target().rsplit('/', 1)[1]}"):
        holder = _holding(node_world, bundles, held)
        other = node_world.create(
            held, **_workflow(bundles, "inspect-workload"), namespace=node_world.sources[1]
        )

        skip = node_world.ended(other, "Skipped", END_S)["status"]["skipDetails"]

        assert skip["reason"] == "ResourceBusy"
        assert skip["conflictingWorkflow"]["name"] == name_of(holder)
        assert skip["conflictingWorkflow"]["namespace"] == node_world.source
        _end(node_world, holder)


def test_the_same_workflow_waits_out_the_cooldown_and_another_does_not(
    node_world: World, bundles: Mapping[str, str], deployment: str
) -> None:
    first = node_world.create(deployment, **_workflow(bundles, "inspect-workload"))
    done = node_world.ended(first, "Completed", END_S)["status"]

    again = node_world.create(deployment, **_workflow(bundles, "inspect-workload"))
    skip = node_world.ended(again, "Skipped", END_S)["status"]["skipDetails"]
    different = node_world.create(deployment, **_workflow(bundles, "restart-workload"))
    node_world.ended(different, "Completed", END_S)

    assert skip["reason"] == "RecentlyRemediated"
    recent = skip["recentRemediation"]
    assert (recent["name"], recent["outcome"]) == (name_of(first), "Completed")
    assert recent["completedAt"] == done["completionTime"]
    minutes, seconds = map(int, re.findall(r"[0-9]+", recent["cooldownRemaining"]))
    assert timedelta(minutes=4) < timedelta(minutes=minutes, seconds=seconds)


def test_a_run_deleted_by_somebody_else_fails_and_says_so(
    node_world: World, bundles: Mapping[str, str], target: str
) -> None:
    item = _holding(node_world, bundles, target)
    run = node_world.run_of(item)

    node_world.tekton.runs.delete(run)

    failure = node_world.ended(item, "Failed", END_S)["status"]["failureDetails"]
    assert live_pods(node_world, run) == []
    assert f"{name_of(run)} was deleted by somebody else" in failure["message"]
    assert failure["wasExecutionFailure"] is True


def test_deleting_an_execution_stops_its_pods_before_the_target_is_free(
    node_world: World,
    bundles: Mapping[str, str],
    target: str,
    request: pytest.FixtureRequest,
) -> None:
    item = _holding(node_world, bundles, target)
    run = node_world.run_of(item)

    asked_at = time.monotonic()
    node_world.executions.delete(item)
    node_world.gone(item, 1)
    held = node_world.ended(node_world.create(target, workflow="another"), "Skipped", END_S)
    assert held["status"]["skipDetails"]["reason"] == "ResourceBusy"
    other = {**_workflow(bundles, "wait")["workflowRef"], "workflowId": "another"}
    node_world.launched_once_free(target, workflowRef=other, parameters={"SECONDS": "1"})
    free_after = time.monotonic() - asked_at
    request.node.user_properties.append(("target_free_after_s", free_after))

    assert [task for task in task_runs(node_world, run) if not _has_ended(task)] == []
    assert live_pods(node_world, run) == []
    ended = node_world.run_now(run)
    assert ended is not None
    assert condition_of(ended, "Succeeded")["reason"] == "Cancelled"


def test_a_restarted_operator_takes_its_run_up(
    node_world: World, bundles: Mapping[str, str], target: str
) -> None:
    item = node_world.create(target, **_workflow(bundles, "wait"), parameters={"SECONDS": "5"})
    node_world.in_phase(item, "Running", END_S)

    node_world.operator.kill()
    node_world.operator.start()

    node_world.ended(item, "Completed", END_S)
    assert len(node_world.runs_of(item)) == 1


def test_a_bundle_that_does_not_exist_is_a_configuration_error(
    node_world: World, bundles: Mapping[str, str], target: str
) -> None:
    reference = bundles["wait"].split("@")[0].replace("e2e/wait", "e2e/nowhere")
    ref = {"workflowId": "nowhere", "version": "1", "containerImage": reference}

    item = node_world.create(target, workflowRef=ref)

    failure = node_world.ended(item, "Failed", END_S)["status"]["failureDetails"]
    assert failure["reason"] == "ConfigurationError"
    assert failure["wasExecutionFailure"] is False
    assert "e2e/nowhere" in failure["message"]


def _has_ended(task_run: Object) -> bool:
    return condition_of(task_run, "Succeeded").get("status") in ("True", "False")
