"""Diagnosis of a failed run: which task, which step, what class, and what is said of it."""

from datetime import timedelta

import pytest

from builders import NOW, RUN_NAMESPACE, TARGET, ago, make_execution, make_run, make_task_run, step
from workflowexecution.api.status import FailureDetails, FailureReason
from workflowexecution.core.failure import (
    RUN_REASONS,
    TASK_REASONS,
    Diagnosis,
    details_of,
    diagnose,
)
from workflowexecution.core.observation import Run
from workflowexecution.core.taskrun import TaskRun

CONFIGURATION = FailureReason.CONFIGURATION_ERROR
# Every reason with which Tekton ends a run badly.
TERMINAL_REASONS = {
    "Failed": FailureReason.UNKNOWN,
    "Cancelled": FailureReason.UNKNOWN,
    "PipelineRunTimeout": FailureReason.DEADLINE_EXCEEDED,
    "CouldntGetPipeline": CONFIGURATION,
    "CouldntGetTask": CONFIGURATION,
    "InvalidPipelineResourceBindings": CONFIGURATION,
    "InvalidWorkspaceBindings": CONFIGURATION,
    "InvalidTaskRunSpecs": CONFIGURATION,
    "ParameterTypeMismatch": CONFIGURATION,
    "ObjectParameterMissKeys": CONFIGURATION,
    "ParamArrayIndexingInvalid": CONFIGURATION,
    "ParameterMissing": CONFIGURATION,
    "PipelineValidationFailed": CONFIGURATION,
    "CouldntGetPipelineResult": FailureReason.UNKNOWN,
    "PipelineInvalidGraph": CONFIGURATION,
    "InvalidMatrixParameterTypes": CONFIGURATION,
    "InvalidTaskResultReference": CONFIGURATION,
    "InvalidPipelineResultReference": CONFIGURATION,
    "RequiredWorkspaceMarkedOptional": CONFIGURATION,
    "ResourceVerificationFailed": CONFIGURATION,
    "CreateRunFailed": FailureReason.UNKNOWN,
    "CELEvaluationFailed": CONFIGURATION,
    "InvalidParamValue": CONFIGURATION,
}
THREE_STEPS = (step("read", 0), step("change", 7), step("check", 1))


def failed_run(reason: str = "Failed", message: str = "Tasks failed: 1") -> Run:
    return make_run(
        "mine", succeeded="False", reason=reason, message=message, completed_at=ago(minutes=1)
    )


@pytest.mark.parametrize(("reason", "expected"), TERMINAL_REASONS.items())
def test_a_run_that_failed_without_tasks_is_classed_by_its_reason(
    reason: str, expected: FailureReason
) -> None:
    assert diagnose(failed_run(reason, "said"), []) == Diagnosis(
        reason=expected, message=f"{reason}: said"
    )


def test_no_reason_is_classed_that_tekton_does_not_give() -> None:
    assert set(RUN_REASONS) <= set(TERMINAL_REASONS)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        *TASK_REASONS.items(),
        ("TaskRunStopSidecarFailed", FailureReason.UNKNOWN),
        ("TaskRunResultLargerThanAllowedLimit", FailureReason.UNKNOWN),
        ("PodCreationFailed", FailureReason.UNKNOWN),
        ("TaskRunCancelled", FailureReason.UNKNOWN),
        ("FailureIgnored", FailureReason.UNKNOWN),
        ("", FailureReason.UNKNOWN),
    ],
)
def test_a_task_that_failed_without_steps_is_classed_by_its_reason(
    reason: str, expected: FailureReason
) -> None:
    task = make_task_run("change", reason=reason, message="said")
    assert diagnose(failed_run(), [task]) == Diagnosis(
        reason=expected, message=f"task 'change': {reason}: said", task=task
    )


@pytest.mark.parametrize(
    ("steps", "expected", "failed", "said"),
    [
        pytest.param(
            THREE_STEPS,
            FailureReason.TASK_FAILED,
            "change",
            "step 'change' ended with exit code 7; see:",
            id="second-of-three-steps",
        ),
        pytest.param(
            (step("read", 0), step("change", 137, "OOMKilled"), step("check", 1)),
            FailureReason.OOM_KILLED,
            "change",
            "step 'change' ended with exit code 137 (OOMKilled: out of memory); see:",
            id="out-of-memory",
        ),
        pytest.param(
            (step("change", 0, "OOMKilled"),),
            FailureReason.OOM_KILLED,
            "change",
            "ended with exit code 0 (OOMKilled: out of memory); see:",
            id="out-of-memory-with-exit-code-0",
        ),
        pytest.param(
            (step("change", 137),),
            FailureReason.TASK_FAILED,
            "change",
            "ended with exit code 137; see:",
            id="killed-for-another-reason",
        ),
        pytest.param(
            (step("make-room", 1),),
            FailureReason.TASK_FAILED,
            "make-room",
            "step 'make-room' ended with exit code 1; see:",
            id="a-name-never-decides-the-class",
        ),
    ],
)
def test_a_step_that_failed_is_named_with_its_exit_code(
    steps: tuple[dict[str, object], ...], expected: FailureReason, failed: str, said: str
) -> None:
    found = diagnose(failed_run(), [make_task_run("restart", steps=steps)])
    assert found.step is not None
    assert (found.reason, found.step.name, found.has_started) == (expected, failed, True)
    assert found.message.startswith("task 'restart', ")
    assert said in found.message
    log = f"kubectl logs -n {RUN_NAMESPACE} run-restart-pod -c step-{failed}"
    assert found.message.endswith(log)


def tasks(*given: TaskRun) -> list[TaskRun]:
    return list(given)


@pytest.mark.parametrize(
    ("found", "culprit"),
    [
        pytest.param(
            tasks(
                make_task_run("second", completed_at=ago(minutes=1)),
                make_task_run("first", completed_at=ago(minutes=2)),
            ),
            "first",
            id="the-first-to-fail",
        ),
        pytest.param(
            tasks(
                make_task_run("aside", reason="TaskRunCancelled", completed_at=ago(minutes=9)),
                make_task_run("cause"),
            ),
            "cause",
            id="not-one-that-was-cancelled-because-of-it",
        ),
        pytest.param(
            tasks(make_task_run("b", completed_at=None), make_task_run("a", completed_at=None)),
            "a",
            id="by-name-where-times-are-missing",
        ),
        pytest.param(
            tasks(make_task_run("good", "True", "Succeeded"), make_task_run("bad")),
            "bad",
            id="not-one-that-succeeded",
        ),
        pytest.param(
            tasks(make_task_run("good", "True", "Succeeded"), make_task_run("on", "Unknown")),
            None,
            id="none",
        ),
    ],
)
def test_the_culprit_is_the_task_that_failed_first(
    found: list[TaskRun], culprit: str | None
) -> None:
    for order in (found, found[::-1]):
        task = diagnose(failed_run(), order).task
        assert (task.task_name if task else None) == culprit


def test_a_cancelled_task_has_not_failed_by_itself() -> None:
    """Tekton gives every step of a cancelled task the exit code 1, whatever it was doing."""
    task = make_task_run(
        "restart",
        reason="TaskRunCancelled",
        message='TaskRun "run-restart" was cancelled',
        steps=[step("change", 1, "TaskRunCancelled")],
    )
    found = diagnose(failed_run("Cancelled", "was cancelled"), [task])
    assert found == Diagnosis(
        reason=FailureReason.UNKNOWN,
        message="task 'restart': TaskRunCancelled: TaskRun \"run-restart\" was cancelled",
        task=task,
        step=task.steps[0],
        has_started=True,
    )


def test_the_details_tell_where_when_and_what_it_means() -> None:
    found = diagnose(failed_run(), [make_task_run("restart", steps=THREE_STEPS)])
    details = details_of(
        found,
        make_execution(),
        task_names=["check", "restart", "report"],
        started_at=ago(minutes=5, microseconds=1),
        failed_at=ago(minutes=1),
    )
    said = (
        "task 'restart', step 'change' ended with exit code 7; "
        f"see: kubectl logs -n {RUN_NAMESPACE} run-restart-pod -c step-change"
    )
    assert details == FailureDetails(
        failed_task_index=1,
        failed_task_name="restart",
        failed_step_name="change",
        reason=FailureReason.TASK_FAILED,
        message=said,
        exit_code=7,
        failed_at=ago(minutes=1),
        execution_time_before_failure=timedelta(minutes=4),
        natural_language_summary=(
            f"Workflow restart on {TARGET} failed after 4m0s (TaskFailed). {said}. Steps had "
            f"started, so {TARGET} may have been changed; check it before retrying."
        ),
        was_execution_failure=True,
    )


def test_the_details_of_a_refusal_blame_no_task() -> None:
    found = Diagnosis(reason=CONFIGURATION, message="spec.targetResource: wrong.")
    details = details_of(found, make_execution(), started_at=NOW, failed_at=ago(seconds=1))
    assert details == FailureDetails(
        failed_task_index=0,
        failed_task_name="",
        reason=CONFIGURATION,
        message="spec.targetResource: wrong.",
        failed_at=ago(seconds=1),
        execution_time_before_failure=timedelta(0),
        natural_language_summary=(
            f"Workflow restart on {TARGET} failed after 0s (ConfigurationError). "
            "spec.targetResource: wrong. No step had started, so nothing was changed."
        ),
        was_execution_failure=False,
    )
