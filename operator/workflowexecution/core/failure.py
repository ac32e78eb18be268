"""Diagnosis of a failed run: from Tekton's reasons and step states to our failureDetails.

Reasons decide the class; messages are carried for people and never searched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from workflowexecution.api import duration
from workflowexecution.api.status import FailureDetails, FailureReason
from workflowexecution.core.observation import Execution, Run
from workflowexecution.core.taskrun import Step, TaskRun

_CONFIGURATION: Final = FailureReason.CONFIGURATION_ERROR
RUN_REASONS: Final = {
    "PipelineRunTimeout": FailureReason.DEADLINE_EXCEEDED,
    "CouldntGetPipeline": _CONFIGURATION,
    "CouldntGetTask": _CONFIGURATION,
    "InvalidPipelineResourceBindings": _CONFIGURATION,
    "InvalidWorkspaceBindings": _CONFIGURATION,
    "InvalidTaskRunSpecs": _CONFIGURATION,
    "ParameterTypeMismatch": _CONFIGURATION,
    "ObjectParameterMissKeys": _CONFIGURATION,
    "ParamArrayIndexingInvalid": _CONFIGURATION,
    "ParameterMissing": _CONFIGURATION,
    "PipelineValidationFailed": _CONFIGURATION,
    "PipelineInvalidGraph": _CONFIGURATION,
    "InvalidMatrixParameterTypes": _CONFIGURATION,
    "InvalidTaskResultReference": _CONFIGURATION,
    "InvalidPipelineResultReference": _CONFIGURATION,
    "RequiredWorkspaceMarkedOptional": _CONFIGURATION,
    "ResourceVerificationFailed": _CONFIGURATION,
    "CELEvaluationFailed": _CONFIGURATION,
    "InvalidParamValue": _CONFIGURATION,
}
TASK_REASONS: Final = {
    "TaskRunTimeout": FailureReason.DEADLINE_EXCEEDED,
    "TaskRunImagePullFailed": FailureReason.IMAGE_PULL_BACK_OFF,
    "TaskRunResolutionFailed": _CONFIGURATION,
    "TaskRunValidationFailed": _CONFIGURATION,
    "TaskValidationFailed": _CONFIGURATION,
    "ResourceVerificationFailed": _CONFIGURATION,
    "InvalidParamValue": _CONFIGURATION,
    "CreateContainerConfigError": _CONFIGURATION,
    "ExceededResourceQuota": FailureReason.RESOURCE_EXHAUSTED,
    "ExceededNodeResources": FailureReason.RESOURCE_EXHAUSTED,
    "PodEvicted": FailureReason.RESOURCE_EXHAUSTED,
}
# Ends that follow from another failure or from an order, and so are never its cause.
_COLLATERAL: Final = ("TaskRunCancelled", "FailureIgnored")


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What failed and why, before it is worded; ``task`` is empty where no task was at fault."""

    reason: FailureReason
    message: str
    task: TaskRun | None = None
    step: Step | None = None
    has_started: bool = False


def diagnose(run: Run, task_runs: Sequence[TaskRun]) -> Diagnosis:
    """Find the task and the step that made a run fail.

    Args:
        run: a run whose ``Succeeded`` condition is False.
        task_runs: all its TaskRuns, in any order; may be empty.
    """
    has_started = any(task.has_started for task in task_runs)
    task = _culprit(task_runs)
    step = _failed_step(task) if task else None
    return Diagnosis(
        reason=_reason_of(run, task, step),
        message=_message_of(run, task, step),
        task=task,
        step=step,
        has_started=has_started,
    )


def _culprit(task_runs: Sequence[TaskRun]) -> TaskRun | None:
    """The TaskRun that failed first; one that was merely cancelled only where none other did."""
    failed = [task for task in task_runs if task.succeeded == "False"]
    causes = [task for task in failed if task.reason not in _COLLATERAL] or failed
    return min(causes, key=lambda task: (task.completed_at or _NEVER, task.name), default=None)


_NEVER: Final = datetime.max.replace(tzinfo=UTC)


def _failed_step(task: TaskRun) -> Step | None:
    """The first step that ended badly; later ones are skipped by Tekton with exit code 1 too."""
    bad = (step for step in task.steps if step.exit_code or step.reason == "OOMKilled")
    return next(bad, None)


def _reason_of(run: Run, task: TaskRun | None, step: Step | None) -> FailureReason:
    if run.reason in RUN_REASONS:
        return RUN_REASONS[run.reason]
    if task is None:
        return FailureReason.UNKNOWN
    if task.reason in TASK_REASONS:
        return TASK_REASONS[task.reason]
    if step is None or task.reason in _COLLATERAL:
        return FailureReason.UNKNOWN
    return FailureReason.OOM_KILLED if step.reason == "OOMKilled" else FailureReason.TASK_FAILED


def _message_of(run: Run, task: TaskRun | None, step: Step | None) -> str:
    """What happened, in Tekton's words where they say it, and the command that shows the log."""
    if task is None:
        return f"{run.reason}: {run.message}"
    # Tekton gives every step of a cancelled task the exit code 1: it tells nothing.
    if step is None or task.reason in _COLLATERAL:
        return f"task {task.task_name!r}: {task.reason}: {task.message}"
    killed = " (OOMKilled: out of memory)" if step.reason == "OOMKilled" else ""
    said = f"task {task.task_name!r}, step {step.name!r} ended with exit code {step.exit_code}"
    log = f"kubectl logs -n {run.namespace} {task.pod_name} -c {step.container}"
    return f"{said}{killed}; see: {log}"


def details_of(
    diagnosis: Diagnosis,
    execution: Execution,
    *,
    task_names: Sequence[str] = (),
    started_at: datetime,
    failed_at: datetime,
) -> FailureDetails:
    """Word a diagnosis as the API carries it.

    Args:
        diagnosis: what failed and why.
        execution: the execution that failed.
        task_names: the resolved pipeline's tasks in order; gives the failed one its index.
        started_at: when the run started, or the refusal time where none was made.
        failed_at: aware UTC, not before started_at.
    """
    took = max(failed_at - started_at, timedelta(0))
    name = diagnosis.task.task_name if diagnosis.task else ""
    return FailureDetails(
        failed_task_index=task_names.index(name) if name in task_names else 0,
        failed_task_name=name,
        failed_step_name=diagnosis.step.name if diagnosis.step else None,
        reason=diagnosis.reason,
        message=diagnosis.message,
        exit_code=diagnosis.step.exit_code if diagnosis.step else None,
        failed_at=failed_at,
        execution_time_before_failure=_whole_seconds(took),
        natural_language_summary=_summary(diagnosis, execution, took),
        was_execution_failure=diagnosis.has_started,
    )


def _whole_seconds(value: timedelta) -> timedelta:
    return timedelta(seconds=int(value.total_seconds()))


def _summary(diagnosis: Diagnosis, execution: Execution, took: timedelta) -> str:
    after = duration.format_duration(_whole_seconds(took))
    changed = (
        f"Steps had started, so {execution.target} may have been changed; check it before retrying."
        if diagnosis.has_started
        else "No step had started, so nothing was changed."
    )
    return (
        f"Workflow {execution.workflow_id} on {execution.target} failed after {after} "
        f"({diagnosis.reason}). {diagnosis.message.rstrip('.')}. {changed}"
    )
