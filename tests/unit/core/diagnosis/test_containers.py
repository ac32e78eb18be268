"""Diagnosis of tasks whose containers tell more than Tekton: as Tekton 1.15 wrote them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builders import make_run, raw_task_run, step
from workflowexecution.api.status import FailureReason
from workflowexecution.core.diagnosis.culprit import lost_its_pod
from workflowexecution.core.diagnosis.diagnose import Diagnosis, diagnose
from workflowexecution.core.diagnosis.explanations import Cause
from workflowexecution.core.facts.pod import DEADLINE, PodEnd
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


def told(found: Diagnosis) -> tuple[FailureReason, str | None, int | None, bool | None]:
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
    assert found.message.startswith(f"task 'work': {reason}: {message}")


def test_a_sidecar_of_kubernetes_own_kind_may_start_again_while_steps_work() -> None:
    waiting = {"reason": "CrashLoopBackOff"}
    steps = [cut_off("work", "TaskRunTimeout")]
    task = task_run("TaskRunTimeout", "late", steps, [named("proxy", waiting=waiting)])

    found = diagnose(ended(), [replace(task, let_begin=True)])

    assert told(found) == (FailureReason.DEADLINE_EXCEEDED, "work", None, True)


def test_of_a_task_that_was_held_back_when_last_seen_nobody_knows_whether_it_began() -> None:
    steps = [cut_off("work", "TaskRunCancelled")]
    task = task_run("TaskRunCancelled", "late", steps, [named("proxy", running={})])
    waited = "task 'work' has not begun: its steps wait until sidecar 'proxy' is ready"

    found = diagnose(
        ended("PipelineRunTimeout"), [replace(task, let_begin=False)], waited_for=waited
    )

    assert told(found) == (FailureReason.DEADLINE_EXCEEDED, None, None, None)
    assert found.cause is None
    assert found.message.endswith(f"; as last seen, {waited}")


ENDED_AT = datetime(2026, 11, 29, 0, 0, 37, tzinfo=UTC)
TAINT = PodEnd("DeletionByTaintManager", "deleting due to NoExecute taint", ENDED_AT)
OVER = PodEnd(DEADLINE, "Pod was active on the node longer than the specified deadline", ENDED_AT)
REJECTED = PodEnd("OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu", None)


def of_pod(end: PodEnd, of_task: str = "StepFailed", **terminated: Any) -> TaskRun:
    """A task whose step ended with 9 as its pod was ended, unless told otherwise."""
    state = {"exitCode": 9, "reason": "Error", "startedAt": "2026-11-29T00:00:22Z", **terminated}
    state["finishedAt"] = "2026-11-29T00:00:37Z"
    steps = [{**step("work"), "terminated": state}]
    return replace(task_run(of_task, "said", steps, []), pod_end=end)


@pytest.mark.parametrize(
    ("end", "reason", "cause"),
    [
        (OVER, FailureReason.DEADLINE_EXCEEDED, Cause.POD_DEADLINE),
        (TAINT, FailureReason.UNKNOWN, Cause.POD_ENDED),
        (replace(TAINT, reason="EvictionByEvictionAPI"), FailureReason.UNKNOWN, Cause.POD_ENDED),
        (replace(TAINT, reason="PreemptionByScheduler"), FailureReason.RESOURCE_EXHAUSTED, None),
    ],
)
@pytest.mark.parametrize("of_task", ["StepFailed", "SidecarFailed", "SidecarOOM"])
def test_what_ended_the_pod_is_told_in_the_words_of_kubernetes(
    end: PodEnd, reason: FailureReason, cause: Cause | None, of_task: str
) -> None:
    found = diagnose(ended(), [of_pod(end, of_task)], pods=[])

    assert told(found) == (reason, "work", 9, True)
    assert found.cause is cause
    assert found.message == (
        f"task 'work', step 'work' ended with exit code 9: Kubernetes ended its pod: {end.reason}: "
        f"{end.message}"
    )


def test_of_a_pod_that_the_node_stopped_nobody_knows_why() -> None:
    stopped = replace(TAINT, reason="Killing", message="Stopping container step-work")
    found = diagnose(ended(), [of_pod(stopped)], pods=[])
    assert told(found) == (FailureReason.UNKNOWN, "work", 9, True)
    assert found.cause is None
    assert found.message == (
        "task 'work', step 'work' ended with exit code 9: its pod was deleted, evicted or killed "
        "while it worked"
    )


def test_that_a_pod_was_deleted_is_told_where_nothing_shows_by_what() -> None:
    task = replace(of_pod(TAINT), pod_end=None)
    found = diagnose(ended(), [task], pods=[])
    assert told(found) == (FailureReason.TASK_FAILED, "work", 9, True)
    assert found.cause is Cause.LOG_LOST
    assert found.message == (
        "task 'work', step 'work' ended with exit code 9; its pod was deleted, and its log is lost "
        "with it"
    )


@pytest.mark.parametrize(
    ("task", "pods", "expected"),
    [
        (replace(of_pod(TAINT), pod_end=None), [], True),
        (replace(of_pod(TAINT), pod_end=None), ["run-work-pod"], False),
        (of_pod(TAINT), [], False),
        # Tekton gives each pod a deadline, which is no reason before its time.
        (of_pod(replace(OVER, at=ENDED_AT + timedelta(hours=1))), [], True),
        (replace(of_pod(TAINT, "TaskRunTimeout"), pod_end=None), [], False),
        (replace(of_pod(TAINT), pod_end=None, succeeded="True"), [], False),
        (replace(of_pod(TAINT), pod_end=None, pod_name=""), [], False),
    ],
)
def test_events_are_asked_only_where_they_can_show_more(
    task: TaskRun, pods: list[str], expected: bool
) -> None:
    assert lost_its_pod(task, pods) is expected


def test_a_pod_that_its_node_rejected_is_told() -> None:
    task = replace(task_run("Failed", REJECTED.message, [], []), pod_end=REJECTED)

    found = diagnose(ended(), [task])

    assert told(found) == (FailureReason.RESOURCE_EXHAUSTED, None, None, False)
    assert found.message == f"task 'work': {REJECTED}"


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        pytest.param(
            of_pod(replace(TAINT, at=ENDED_AT + timedelta(seconds=1))),
            FailureReason.TASK_FAILED,
            id="the-step-failed-before-that",
        ),
        pytest.param(
            of_pod(TAINT, "TaskRunTimeout"), FailureReason.DEADLINE_EXCEEDED, id="tekton-ended-it"
        ),
        pytest.param(
            of_pod(OVER, reason="StartError"), FailureReason.CONFIGURATION_ERROR, id="not-started"
        ),
        pytest.param(
            of_pod(OVER, reason="OOMKilled"), FailureReason.OOM_KILLED, id="out-of-memory"
        ),
    ],
)
def test_what_became_of_the_pod_later_is_not_the_cause(
    task: TaskRun, expected: FailureReason
) -> None:
    found = diagnose(ended(), [task])

    assert found.reason is expected
    assert "Kubernetes ended its pod" not in found.message


@pytest.mark.parametrize(
    ("last_seen", "said"),
    [
        ("", "task 'work' has not begun: its steps wait until sidecar 'proxy' is ready"),
        ("as last seen", "as last seen"),
    ],
)
def test_a_sidecar_that_is_never_ready_is_named_as_what_was_waited_for(
    last_seen: str, said: str
) -> None:
    steps = [cut_off("work", "TaskRunCancelled")]
    task = task_run("TaskRunCancelled", "it was cancelled", steps, [named("proxy", running={})])
    task = replace(task, is_held=True, awaits=("proxy",))

    found = diagnose(ended("PipelineRunTimeout", "late"), [task], waited_for=last_seen)

    assert told(found) == (FailureReason.DEADLINE_EXCEEDED, None, None, False)
    assert found.cause is Cause.NEVER_AT_WORK
    assert found.message == f"task 'work': TaskRunCancelled: it was cancelled; {said}"
