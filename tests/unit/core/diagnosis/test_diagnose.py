"""Diagnosis of a failed run: which task, which step, what class, and what is said of it."""

from datetime import timedelta

import pytest

from builders import NOW, RUN_NAMESPACE, TARGET, ago, make_execution, make_run, make_task_run, step
from workflowexecution.api.status import FailureReason, SkipReason
from workflowexecution.api.status_model import FailureDetails
from workflowexecution.core.diagnosis.diagnose import Diagnosis, diagnose
from workflowexecution.core.diagnosis.explanations import CAUSES, FAILURES, SKIPS, Cause
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.diagnosis.tables import RUN_REASONS, TASK_REASONS
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import TaskRun

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
    "CouldntGetPipelineResult": CONFIGURATION,
    "PipelineInvalidGraph": CONFIGURATION,
    "InvalidMatrixParameterTypes": CONFIGURATION,
    "InvalidTaskResultReference": CONFIGURATION,
    "InvalidPipelineResultReference": CONFIGURATION,
    "RequiredWorkspaceMarkedOptional": CONFIGURATION,
    "ResourceVerificationFailed": CONFIGURATION,
    "CreateRunFailed": CONFIGURATION,
    "CouldntCreateWorkspacePVC": CONFIGURATION,
    "ReasonCouldntCreateOrUpdateAffinityAssistantStatefulSet": CONFIGURATION,
    "CELEvaluationFailed": CONFIGURATION,
    "InvalidParamValue": CONFIGURATION,
}
# Without a step that had started.
CAUSE_OF = {
    "PipelineRunTimeout": Cause.NEVER_AT_WORK,
    "TaskRunTimeout": Cause.NEVER_AT_WORK,
    "CustomRunTimedOut": Cause.NEVER_AT_WORK,
    "CouldntGetPipelineResult": Cause.RESULT_NOT_WRITTEN,
    "InitContainerFailed": Cause.POD_NOT_PREPARED,
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
        reason=expected,
        cause=CAUSE_OF.get(reason),
        message=f"{reason}: said",
        see=f"kubectl describe pipelinerun -n {RUN_NAMESPACE} {failed_run().name}",
    )


def test_no_reason_is_classed_that_tekton_does_not_give() -> None:
    assert set(RUN_REASONS) <= set(TERMINAL_REASONS)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        *TASK_REASONS.items(),
        ("TaskRunStopSidecarFailed", FailureReason.UNKNOWN),
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
        reason=expected,
        cause=CAUSE_OF.get(reason),
        message=f"task 'change': {reason}: said",
        see=f"kubectl describe taskrun -n {RUN_NAMESPACE} {task.name}",
        task=task,
    )


@pytest.mark.parametrize(
    ("steps", "expected", "failed", "said"),
    [
        pytest.param(
            THREE_STEPS,
            FailureReason.TASK_FAILED,
            "change",
            "step 'change' ended with exit code 7",
            id="second-of-three-steps",
        ),
        pytest.param(
            (step("read", 0), step("change", 137, "OOMKilled"), step("check", 1)),
            FailureReason.OOM_KILLED,
            "change",
            "ended with exit code 137: OOMKilled, it used more memory than its limit",
            id="out-of-memory",
        ),
        pytest.param(
            (step("change", 0, "OOMKilled"),),
            FailureReason.OOM_KILLED,
            "change",
            "ended with exit code 0: OOMKilled, it used more memory than its limit",
            id="out-of-memory-with-exit-code-0",
        ),
        pytest.param(
            (step("read", 1, termination="Continued"), step("change", 7)),
            FailureReason.TASK_FAILED,
            "change",
            "step 'change' ended with exit code 7",
            id="not-a-step-whose-error-is-ignored",
        ),
        pytest.param(
            (step("change", 1, termination="TimeoutExceeded"),),
            FailureReason.DEADLINE_EXCEEDED,
            "change",
            "ended with exit code 1: it took longer than its own time limit",
            id="own-time-limit",
        ),
        pytest.param(
            (step("read", 1), step("change", 137, "OOMKilled")),
            FailureReason.OOM_KILLED,
            "change",
            "OOMKilled",
            id="out-of-memory-before-what-follows-from-it",
        ),
        pytest.param(
            (step("change", 137),),
            FailureReason.TASK_FAILED,
            "change",
            "ended with exit code 137",
            id="killed-for-another-reason",
        ),
        pytest.param(
            (step("make-room", 1),),
            FailureReason.TASK_FAILED,
            "make-room",
            "step 'make-room' ended with exit code 1",
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
    assert found.see == log


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
            "on",
            id="one-that-did-not-end",
        ),
        pytest.param(tasks(make_task_run("good", "True", "Succeeded")), None, id="none"),
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
        steps=[
            step("read", 0),
            step("change", 1, "TaskRunCancelled", "TaskRunCancelled"),
            step("check", 1, "TaskRunCancelled", "TaskRunCancelled"),
        ],
    )
    found = diagnose(failed_run("Cancelled", "was cancelled"), [task])
    assert found == Diagnosis(
        reason=FailureReason.UNKNOWN,
        message=(
            "task 'restart', step 'change': TaskRunCancelled: TaskRun \"run-restart\" was cancelled"
        ),
        see=f"kubectl describe taskrun -n {RUN_NAMESPACE} {task.name}",
        task=task,
        step=task.steps[1],
        exit_code=None,
        has_started=True,
    )


def test_the_step_that_tekton_names_is_to_blame() -> None:
    message = 'the step "b" in TaskRun "run-pull" failed to pull the image ""'
    steps = [step(name, 1, "TaskRunImagePullFailed", "TaskRunImagePullFailed") for name in "abc"]
    task = make_task_run("pull", reason="TaskRunImagePullFailed", message=message, steps=steps)
    found = diagnose(failed_run(), [task])
    assert found.step is not None
    assert (found.step.name, found.exit_code) == ("b", None)


@pytest.mark.parametrize("reason", ["TaskRunTimeout", "PodEvicted", "TaskRunImagePullFailed"])
def test_no_log_is_pointed_at_that_is_gone(reason: str) -> None:
    task = make_task_run("change", reason=reason, steps=[step("change", 1)])
    assert diagnose(failed_run(), [task]).see.startswith("kubectl describe taskrun ")


def test_every_reason_is_explained() -> None:
    assert set(FAILURES) == set(FailureReason)
    assert set(SKIPS) == set(SkipReason)
    assert set(CAUSES) == set(Cause)
    texts = [
        text
        for table in (FAILURES, CAUSES, SKIPS)
        for item in table.values()
        for text in (item.set_when, item.means, item.to_do)
    ]
    assert all(text[0].isupper() and text.endswith(".") for text in texts)


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
            f"Workflow restart on {TARGET} failed after 4m0s: TaskFailed, task 'restart', step "
            "'change' ended with exit code 7. The step did not do its work, or not all of it. "
            f"Steps had started, so {TARGET} may have been changed. Read the step's log, "
            "and look its exit code up where the workflow is described."
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
            f"Workflow restart on {TARGET} failed: ConfigurationError, "
            "spec.targetResource: wrong. The same request will fail again. No step had started, "
            "so nothing was changed. Correct what the message names, then create a new execution."
        ),
        was_execution_failure=False,
    )


@pytest.mark.parametrize(
    ("pods", "see"),
    [
        (None, f"kubectl logs -n {RUN_NAMESPACE} run-act-pod -c place-scripts"),
        ((), f"kubectl describe taskrun -n {RUN_NAMESPACE} run-act"),
    ],
)
def test_the_log_of_a_container_before_the_steps_is_shown_where_that_failed(
    pods: tuple[str, ...] | None, see: str
) -> None:
    said = 'init container failed, "place-scripts" exited with code 1: Error'
    state = {"waiting": {"reason": "PodInitializing"}}
    task = make_task_run(
        "act", reason="InitContainerFailed", message=said, steps=[{"name": "main", **state}]
    )
    found = diagnose(failed_run(), [task], pods=pods)
    assert (found.reason, found.cause) == (CONFIGURATION, Cause.POD_NOT_PREPARED)
    assert (found.see, found.has_started) == (see, False)
