"""The first two rows of the decision: a free target is launched on, an own run is taken up."""

import pytest

from harness.executions import condition_of, execution, name_of, phase_of, unique
from harness.tekton import TASKS
from harness.world import World

BOTH_FORMS = ("payment/Deployment/{}", "Node/{}")
DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize("form", BOTH_FORMS)
def test_a_free_target_is_launched_on(world: World, form: str) -> None:
    target = form.format(unique("free"))
    item, run = world.launched(target, parameters={"REPLICAS": "3", "A_FLAG": "yes"})

    assert (
        run["metadata"]["labels"].items()
        >= {
            "kubernaut.ai/workflow-execution": name_of(item),
            "kubernaut.ai/source-namespace": world.source,
            "kubernaut.ai/workflow-id": "restart",
            "app.kubernetes.io/managed-by": "workflowexecution-operator",
            "kubernaut.ai/workflow-execution-uid": item["metadata"]["uid"],
        }.items()
    )
    assert run["metadata"]["annotations"]["kubernaut.ai/target-resource"] == target
    assert "ownerReferences" not in run["metadata"]
    spec = run["spec"]
    assert spec["params"] == [
        {"name": "A_FLAG", "value": "yes"},
        {"name": "REPLICAS", "value": "3"},
        {"name": "TARGET_RESOURCE", "value": target},
    ]
    assert spec["pipelineRef"]["resolver"] == "bundles"
    limits = {"pipeline": "40m0s", "tasks": "30m0s", "finally": "10m0s"}
    assert spec["timeouts"] == limits
    assert spec["taskRunTemplate"]["serviceAccountName"] == "kubernaut-workflow-runner"
    named = {"name": name_of(run), "namespace": world.execution_namespace}
    assert item["status"]["pipelineRunRef"] == named
    assert item["status"]["startTime"] == run["metadata"]["creationTimestamp"]


def test_the_run_is_pinned_to_the_digest_that_was_audited(world: World, target: str) -> None:
    reference = {
        "workflowId": "restart",
        "version": "v1",
        "containerImage": "registry.example:5000/restart:v1",
        "containerDigest": DIGEST,
    }
    config = {"timeout": "1h30m", "serviceAccountName": "node-remediation"}
    _, run = world.launched(target, workflowRef=reference, executionConfig=config)

    params = {one["name"]: one["value"] for one in run["spec"]["pipelineRef"]["params"]}
    assert params == {
        "bundle": f"registry.example:5000/restart:v1@{DIGEST}",
        "name": "workflow",
        "kind": "pipeline",
        "serviceAccount": "node-remediation",
    }
    assert run["spec"]["timeouts"]["tasks"] == "1h30m0s"
    assert run["spec"]["taskRunTemplate"]["serviceAccountName"] == "node-remediation"


def test_long_and_odd_names_make_valid_labels(world: World) -> None:
    target = f"payment/Deployment/{'x' * 200}.Name_With.Odd:chars-{unique('odd')}"
    name = unique("n" * 200)
    item, run = world.launched(target, name=name, workflow="Odd Id / with blanks, é")

    annotations = run["metadata"]["annotations"]
    assert annotations["kubernaut.ai/workflow-execution"] == name
    assert annotations["kubernaut.ai/workflow-id"] == "Odd Id / with blanks, é"
    assert annotations["kubernaut.ai/target-resource"] == target
    assert item["status"]["pipelineRunRef"]["name"] == name_of(run)


def test_the_status_follows_the_run_to_a_good_end(world: World, target: str) -> None:
    item, run = world.launched(target)
    assert condition_of(item, "Succeeded")["status"] == "Unknown"
    assert condition_of(item, "Reconciling")["status"] == "True"
    assert condition_of(item, "PipelineRunCreated")["status"] == "True"
    world.tekton.begin(run)
    world.tekton.succeed(run)

    status = world.ended(item, "Completed")["status"]
    assert status["pipelineRunStatus"] == {
        "status": "True",
        "reason": "Succeeded",
        "message": "Tasks Completed: 2 (Failed: 0, Cancelled 0), Skipped: 0",
        "completedTasks": len(TASKS),
        "totalTasks": len(TASKS),
    }
    assert status["completionTime"] >= status["startTime"]
    assert status["duration"].endswith("s")
    assert status["observedGeneration"] == 1
    assert {one["type"]: one["status"] for one in status["conditions"]} == {
        "Succeeded": "True",
        "PipelineRunCreated": "True",
        "Reconciling": "False",
        "Stalled": "False",
        "TektonPipelineCreated": "True",
        "TektonPipelineRunning": "True",
        "TektonPipelineComplete": "True",
    }
    assert not {"failureDetails", "skipDetails", "failureReason"} & status.keys()


def test_a_failed_step_is_named_with_its_exit_code(world: World, target: str) -> None:
    item, run = world.launched(target)
    world.tekton.begin(run)
    world.tekton.fail(run, exit_code=42)

    status = world.ended(item, "Failed")["status"]
    details = status["failureDetails"]
    assert details["reason"] == status["failureReason"] == "TaskFailed"
    assert (details["failedTaskName"], details["failedTaskIndex"]) == (TASKS[0], 0)
    assert (details["failedStepName"], details["exitCode"]) == ("work", 42)
    assert details["wasExecutionFailure"] is True
    assert condition_of({"status": status}, "Succeeded")["reason"] == "TaskFailed"
    assert condition_of({"status": status}, "Stalled")["status"] == "True"


def test_a_run_over_its_time_limit_fails_with_deadline_exceeded(world: World, target: str) -> None:
    item, run = world.launched(target)
    world.tekton.begin(run)
    world.tekton.time_out(run)

    details = world.ended(item, "Failed")["status"]["failureDetails"]
    assert details["reason"] == "DeadlineExceeded"
    assert details["failedTaskName"] == TASKS[0]


def test_a_bundle_that_cannot_be_had_is_a_configuration_error(world: World, target: str) -> None:
    item, run = world.launched(target)
    world.tekton.refuse(run, "CouldntGetPipeline", "the bundle was not found")

    details = world.ended(item, "Failed")["status"]["failureDetails"]
    assert details["reason"] == "ConfigurationError"
    assert "the bundle was not found" in details["message"]
    assert details["wasExecutionFailure"] is False


def test_a_run_made_before_a_restart_is_taken_up(world: World, target: str) -> None:
    item, run = world.launched(target)
    world.operator.kill()
    world.tekton.begin(run)
    world.tekton.succeed(run)
    world.operator.start()

    assert world.ended(item, "Completed")["status"]["pipelineRunRef"]["name"] == name_of(run)
    assert len(world.runs(target)) == 1


def test_executions_made_while_nobody_served_are_served_later(world: World, target: str) -> None:
    world.operator.kill()
    items = [world.create(f"{target}-{number}") for number in range(3)]
    world.operator.start()

    for item in items:
        world.in_phase(item, "Running")


def test_executions_elsewhere_are_left_alone(world: World, target: str) -> None:
    elsewhere = world.executions.create(execution(target, namespace="default"))
    try:
        world.launched(target)
        assert phase_of(world.read(elsewhere)) == ""
        assert "finalizers" not in elsewhere["metadata"]
    finally:
        world.executions.delete(elsewhere)
