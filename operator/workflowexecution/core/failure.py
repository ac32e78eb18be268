"""Diagnosis of a failed run: which task and step failed, of what class, and how to see more.

Reasons and step states decide; messages are carried for people and not searched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from workflowexecution.api.status import FailureReason
from workflowexecution.core import causes
from workflowexecution.core.observation import Run
from workflowexecution.core.taskrun import Step, TaskRun

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What failed and why, before it is worded.

    task and step are None where none was at fault. ``see`` is a command that shows more.
    """

    reason: FailureReason
    message: str
    see: str = ""
    task: TaskRun | None = None
    step: Step | None = None
    has_started: bool = False


def diagnose(run: Run, task_runs: Sequence[TaskRun]) -> Diagnosis:
    """Find the task and the step that made a run fail.

    Args:
        run: a run whose ``Succeeded`` condition is False.
        task_runs: all its TaskRuns, in any order; may be empty.
    """
    task = _culprit(task_runs)
    step = _failed_step(task) if task else None
    return Diagnosis(
        reason=_reason_of(run, task, step),
        message=_message_of(run, task, step),
        see=_command_for(run, task, step),
        task=task,
        step=step,
        has_started=any(task.has_started for task in task_runs),
    )


def _culprit(task_runs: Sequence[TaskRun]) -> TaskRun | None:
    """The TaskRun that failed first; one that was merely cancelled only where none other did."""
    failed = [task for task in task_runs if task.succeeded == "False"]
    caused = [task for task in failed if task.reason not in causes.COLLATERAL] or failed
    return min(caused, key=lambda task: (task.completed_at or _NEVER, task.name), default=None)


def _failed_step(task: TaskRun) -> Step | None:
    """The step to blame: one out of memory, else one cut off by its limit, else the first bad one.

    Tekton ends later steps with exit code 1 too, and gives it to every step of a cancelled task.
    """
    bad = [
        step
        for step in task.steps
        if (step.exit_code or _is_out_of_memory(step))
        and step.termination not in causes.HARMLESS_STEPS
    ]
    if task.reason in causes.COLLATERAL:
        return None
    return next(filter(_is_out_of_memory, bad), None) or next(iter(bad), None)


def _is_out_of_memory(step: Step) -> bool:
    return step.reason == "OOMKilled"


def _reason_of(run: Run, task: TaskRun | None, step: Step | None) -> FailureReason:
    if _has_no_pod(run, task):
        return FailureReason.RESOURCE_EXHAUSTED
    if run.reason in causes.RUN_REASONS:
        return causes.RUN_REASONS[run.reason]
    if task is not None and task.reason in causes.TASK_REASONS:
        return causes.TASK_REASONS[task.reason]
    return _reason_of_step(step) if step else FailureReason.UNKNOWN


def _reason_of_step(step: Step) -> FailureReason:
    if _is_out_of_memory(step):
        return FailureReason.OOM_KILLED
    if step.termination == "TimeoutExceeded":
        return FailureReason.DEADLINE_EXCEEDED
    return FailureReason.TASK_FAILED


def _has_no_pod(run: Run, task: TaskRun | None) -> bool:
    """Whether time ran out before a task got its pod.

    Tekton goes on trying only where a quota is exceeded, and forgets that when it ends the task.
    """
    return run.reason == "PipelineRunTimeout" and task is not None and not task.pod_name


def _message_of(run: Run, task: TaskRun | None, step: Step | None) -> str:
    """What happened, in Tekton's words where they say it."""
    if task is None:
        return f"{run.reason}: {run.message}"
    if _has_no_pod(run, task):
        return (
            f"task {task.task_name!r} got no pod before the time limit, as happens when the "
            f"quota of namespace {run.namespace} is exceeded: {run.message}"
        )
    if step is None:
        return f"task {task.task_name!r}: {task.reason}: {task.message}"
    ended = f"task {task.task_name!r}, step {step.name!r} ended with exit code {step.exit_code}"
    if _is_out_of_memory(step):
        return f"{ended}: OOMKilled, it used more memory than its limit"
    if step.termination == "TimeoutExceeded":
        return f"{ended}: it took longer than its own time limit"
    return ended


def _command_for(run: Run, task: TaskRun | None, step: Step | None) -> str:
    """The command that shows most: the step's log, or the object that tells of it."""
    if task is None:
        return f"kubectl describe pipelinerun -n {run.namespace} {run.name}"
    if step is None or not task.pod_name or task.reason in causes.POD_IS_GONE:
        return f"kubectl describe taskrun -n {run.namespace} {task.name}"
    return f"kubectl logs -n {run.namespace} {task.pod_name} -c {step.container}"
