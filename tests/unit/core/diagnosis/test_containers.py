"""Diagnosis of tasks whose containers tell more than Tekton: as Tekton 1.15 wrote them."""

from typing import Any

import pytest

from builders import make_run, raw_task_run, step
from workflowexecution.api.status import FailureReason
from workflowexecution.core.diagnosis.diagnose import Diagnosis, diagnose
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import TaskRun, parse_task_run

CREATED = "2026-11-29T00:01:36Z"
NOT_ABSOLUTE = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    "runc create failed: Cwd must be an absolute path"
)
NOT_STARTED = {
    "exitCode": 128,
    "finishedAt": "2026-11-29T00:01:40Z",
    "message": NOT_ABSOLUTE,
    "reason": "StartError",
    "startedAt": "1970-01-01T00:00:00Z",
}
OUT_OF_MEMORY = {"exitCode": 137, "reason": "OOMKilled", "startedAt": "2026-11-29T00:01:45Z"}
SIDECAR_OOM = '"sidecar-greedy" exited with code 137: OOMKilled'
NO_IMAGE = (
    'the sidecar "proxy" in TaskRun "run-work" failed to pull the image "". The pod errored with '
    'the message: "Back-off pulling image "registry/none:1": ErrImagePull: not found."'
)
NEVER_PULLED = (
    'TaskRun "run-work" was cancelled. TaskRun cancelled as the PipelineRun it belongs to has '
    'timed out.\nPrevious status: [PullImageFailed] build step "sidecar-proxy" is pending with '
    'reason "Container image "registry/none:1" is not present with pull policy of Never"'
)


def ended(reason: str = "Failed", message: str = "Tasks Completed: 1 (Failed: 1)") -> Run:
    return make_run("mine", succeeded="False", reason=reason, message=message)


def task_run(
    reason: str, message: str, steps: list[dict[str, Any]], sidecars: list[dict[str, Any]]
) -> TaskRun:
    raw = raw_task_run("work", "False", reason, message, steps=steps)
    raw["metadata"]["creationTimestamp"] = CREATED
    raw["status"]["sidecars"] = sidecars
    return parse_task_run(raw)


def named(name: str, **state: Any) -> dict[str, Any]:
    return {"name": name, "container": f"sidecar-{name}", **state}


def cut_off(name: str, reason: str, started_at: str = "2026-11-29T00:01:44Z") -> dict[str, Any]:
    terminated = {"exitCode": 1, "reason": reason, "startedAt": started_at}
    return {**step(name), "terminated": terminated, "terminationReason": reason}


def told(found: Diagnosis) -> tuple[FailureReason, str | None, int | None, bool]:
    return found.reason, found.step.name if found.step else None, found.exit_code, found.has_started


UNSTARTED = {**step("work"), "terminated": NOT_STARTED}


def test_a_step_that_cannot_be_started_is_told_in_the_words_of_the_runtime() -> None:
    task = task_run("StepFailed", '"step-work" exited with code 128: StartError', [UNSTARTED], [])

    found = diagnose(ended(), [task], pods=[task.pod_name])

    assert told(found) == (FailureReason.CONFIGURATION_ERROR, "work", None, False)
    assert found.message == f"task 'work', step 'work' could not be started: {NOT_ABSOLUTE}"
    assert found.see.startswith("kubectl describe taskrun ")


@pytest.mark.parametrize(
    ("before", "has_started"),
    [
        pytest.param([], False, id="the-first"),
        pytest.param([step("read", 0)], True, id="after-one-that-worked"),
    ],
)
def test_steps_after_one_that_cannot_be_started_have_not_begun(
    before: list[dict[str, Any]], has_started: bool
) -> None:
    steps = [*before, UNSTARTED, cut_off("after", "TaskRunTimeout")]
    task = task_run("TaskRunTimeout", 'TaskRun "run-work" failed to finish', steps, [])

    found = diagnose(ended(), [task])

    assert told(found) == (FailureReason.CONFIGURATION_ERROR, "work", None, has_started)
    assert [item.has_started for item in task.steps][-2:] == [False, False]


def test_a_runtime_that_says_nothing_is_quoted_by_its_reason() -> None:
    silent = {"exitCode": 127, "reason": "ContainerCannotRun"}
    task = task_run("StepFailed", "", [{**step("work"), "terminated": silent}], [])

    assert diagnose(ended(), [task]).message.endswith("could not be started: ContainerCannotRun")


@pytest.mark.parametrize(
    ("reason", "message"),
    [("SidecarOOM", SIDECAR_OOM), ("SidecarFailed", '"sidecar-proxy" exited with code 3: Error')],
)
def test_a_sidecar_does_not_hide_how_the_step_ended(reason: str, message: str) -> None:
    sidecar = named("greedy", terminated=OUT_OF_MEMORY)
    task = task_run(reason, message, [step("work", 5, termination="Error")], [sidecar])

    found = diagnose(ended(), [task])

    assert told(found) == (FailureReason.TASK_FAILED, "work", 5, True)
    assert found.message == (
        f"task 'work', step 'work' ended with exit code 5; beside it: {message}"
    )


def test_a_sidecar_alone_out_of_memory_is_told() -> None:
    task = task_run("SidecarOOM", SIDECAR_OOM, [step("work", 0)], [])

    found = diagnose(ended(), [task])

    assert told(found) == (FailureReason.OOM_KILLED, None, None, True)
    assert found.message == f"task 'work': SidecarOOM: {SIDECAR_OOM}"


@pytest.mark.parametrize(
    ("run", "reason", "message", "waiting"),
    [
        pytest.param(
            ended(), "TaskRunImagePullFailed", NO_IMAGE, {"reason": "PodInitializing"}, id="pulled"
        ),
        pytest.param(
            ended("PipelineRunTimeout", "late"),
            "TaskRunCancelled",
            NEVER_PULLED,
            {"reason": "ErrImageNeverPull"},
            id="never-pulled",
        ),
    ],
)
def test_a_sidecar_whose_image_is_missing_is_named(
    run: Run, reason: str, message: str, waiting: dict[str, Any]
) -> None:
    task = task_run(reason, message, [cut_off("work", reason)], [named("proxy", waiting=waiting)])

    found = diagnose(run, [task])

    assert told(found) == (FailureReason.IMAGE_PULL_BACK_OFF, None, None, False)
    assert found.message == f"task 'work': {reason}: {message}"


def test_a_sidecar_of_kubernetes_own_kind_may_start_again_while_steps_work() -> None:
    waiting = {"reason": "CrashLoopBackOff"}
    steps = [cut_off("work", "TaskRunTimeout")]
    task = task_run("TaskRunTimeout", "late", steps, [named("proxy", waiting=waiting)])

    found = diagnose(ended(), [task])

    assert told(found) == (FailureReason.DEADLINE_EXCEEDED, "work", None, True)
