"""Diagnosis of a failed run: which task and step failed, of what class, and how to see more.

Reasons and step states decide; messages are carried for people and not searched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from workflowexecution.api.status import FailureReason
from workflowexecution.core.diagnosis import tables as causes
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import Step, TaskRun

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
    exit_code: int | None = None
    has_started: bool = False


def diagnose(run: Run, task_runs: Sequence[TaskRun], *, complaint: str = "") -> Diagnosis:
    """Find the task and the step that made a run fail.

    Args:
        run: a run whose ``Succeeded`` condition is False.
        task_runs: all its TaskRuns, in any order; may be empty.
        complaint: why a node could not start a step, in the node's words; empty where it could.
    """
    task = _culprit(task_runs)
    step = _failed_step(task) if task else None
    return Diagnosis(
        reason=_reason_of(run, task, step),
        message=_message_of(run, task, step, complaint),
        see=_command_for(run, task, step),
        task=task,
        step=step,
        exit_code=_exit_code_of(task, step),
        has_started=any(task.has_started for task in task_runs),
    )


def _culprit(task_runs: Sequence[TaskRun]) -> TaskRun | None:
    """The TaskRun that failed first; one that was merely cancelled only where none other did."""
    failed = [task for task in task_runs if task.succeeded == "False"]
    caused = [task for task in failed if task.reason not in causes.COLLATERAL] or failed
    return min(caused, key=lambda task: (task.completed_at or _NEVER, task.name), default=None)


def _failed_step(task: TaskRun) -> Step | None:
    """The step to blame: the one Tekton names or cut off, one out of memory, or the first bad one.

    Steps after a failed one end with exit code 1 as well.
    """
    bad = [step for step in task.steps if _is_bad(step)]
    for is_it in (
        lambda step: step.name == task.named_step,
        lambda step: step.termination == task.reason,
        _is_out_of_memory,
        _is_bad,
    ):
        if found := next(filter(is_it, bad), None):
            return found
    return None


def _is_bad(step: Step) -> bool:
    failed = bool(step.exit_code) or _is_out_of_memory(step)
    return failed and step.termination not in causes.HARMLESS_STEPS


def _is_out_of_memory(step: Step) -> bool:
    return step.reason == "OOMKilled"


def _exit_code_of(task: TaskRun | None, step: Step | None) -> int | None:
    """What the step itself exited with; to one that Tekton cut off it gives a code of its own."""
    is_its_own = task and step and step.termination != task.reason
    return step.exit_code if step and is_its_own else None


def _reason_of(run: Run, task: TaskRun | None, step: Step | None) -> FailureReason:
    if task is not None and task.was in causes.TASK_REASONS:
        return causes.TASK_REASONS[task.was]
    if known := causes.reason_of_run(run.reason, run.message):
        return known
    if task is None or task.reason in causes.COLLATERAL:
        return FailureReason.UNKNOWN
    if task.reason in causes.TASK_REASONS:
        return causes.TASK_REASONS[task.reason]
    return _reason_of_step(step) if step else FailureReason.UNKNOWN


def _reason_of_step(step: Step) -> FailureReason:
    if _is_out_of_memory(step):
        return FailureReason.OOM_KILLED
    if step.termination == "TimeoutExceeded":
        return FailureReason.DEADLINE_EXCEEDED
    return FailureReason.TASK_FAILED


def _message_of(run: Run, task: TaskRun | None, step: Step | None, complaint: str) -> str:
    """What happened, in Tekton's words where they say it, in the node's where those say more."""
    if task is None:
        return f"{run.reason}: {run.message}"
    if complaint and task.reason in causes.TOLD_BY_THE_NODE:
        return f"task {task.task_name!r}: {task.reason}: {complaint}"
    if step is None:
        return f"task {task.task_name!r}: {task.reason}: {task.message}"
    where = f"task {task.task_name!r}, step {step.name!r}"
    if _exit_code_of(task, step) is None:
        return f"{where}: {task.reason}: {task.message}"
    ended = f"{where} ended with exit code {step.exit_code}"
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
