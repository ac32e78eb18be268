"""The task and the step that made a run fail: their end, and whether something was changed."""

from collections.abc import Container, Sequence
from datetime import UTC, datetime
from itertools import takewhile
from typing import Final

from workflowexecution.core.diagnosis import tables
from workflowexecution.core.facts.pod import STOPPED_AT_WORK, PodEnd
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.step import Step
from workflowexecution.core.facts.taskrun import ChildKind, TaskRun, count_ended
from workflowexecution.core.text import command

STEPS_STARTED: Final = "Steps had started"
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


def culprit_of(task_runs: Sequence[TaskRun]) -> TaskRun | None:
    """The child that failed first; one that was only cancelled counts where none else failed.

    Where none has failed, a child that did not end.
    """
    failed = [task for task in task_runs if task.succeeded == "False"]
    caused = [task for task in failed if task.reason not in tables.COLLATERAL] or failed
    return min(
        caused or [task for task in task_runs if task.is_active],
        key=lambda task: (
            task.completed_at or _NEVER,
            task.kind is ChildKind.RUN,  # which fails for what failed in it
            task.name,
        ),
        default=None,
    )


def failed_step(task: TaskRun) -> Step | None:
    """The step at fault: one out of memory, or the first bad one, or one that Tekton cut off.

    Steps run one after the other, so a step that failed by itself did so before Tekton cut off
    the next one. Steps after a failed one end with exit code 1 as well. A step that had to wait
    for a sidecar is not at fault.
    """
    bad = [step for step in task.steps if _is_bad(step)]
    by_itself = list(takewhile(lambda step: not _is_cut_off(task, step), bad))
    named = [step for step in bad if step.name == task.named_step]
    out_of_memory = [step for step in by_itself if step.is_out_of_memory]
    cut_off = [] if task.is_held or task.was_held_last or task.named_sidecar else bad
    return next(iter(out_of_memory or by_itself or named or cut_off), None)


def _is_cut_off(task: TaskRun, step: Step) -> bool:
    """Whether Tekton ended a step, or names it as the one that blocked its task."""
    return task.reason in (step.termination, step.reason) or step.name == task.named_step


def failed_by_itself(task: TaskRun | None, step: Step | None) -> bool:
    """Whether a step had failed when Tekton ended its task for another reason."""
    if task is None or step is None or _is_cut_off(task, step):
        return False
    return any(_is_cut_off(task, other) for other in task.steps)


def _is_bad(step: Step) -> bool:
    failed = bool(step.exit_code or step.complaint) or step.is_out_of_memory
    return failed and step.termination not in tables.HARMLESS_STEPS


def pod_end_of(task: TaskRun, step: Step | None) -> PodEnd | None:
    """The reason why Kubernetes ended the pod of a task, if that is why the task failed."""
    end, ended_at = task.pod_end, step.finished_at if step else task.completed_at
    if end is None or task.reason not in tables.OF_ANY_END:
        return None
    if step is not None and (step.complaint or step.is_out_of_memory):
        return None
    is_before = end.at is None or ended_at is None or end.at <= ended_at
    return end if is_before else None


def lost_its_pod(task: TaskRun, pods: Container[str]) -> bool:
    """Whether a task failed, and its pod, not one of these, was deleted for no known reason.

    A step may end with any exit code when its pod is deleted, so its failure may not be its own.
    """
    is_gone = bool(task.pod_name) and task.pod_name not in pods
    is_open = task.succeeded == "False" and task.reason in tables.OF_ANY_END
    return is_gone and is_open and pod_end_of(task, failed_step(task)) is None


def exit_code_of(task: TaskRun | None, step: Step | None) -> int | None:
    """The exit code of the step itself; Tekton gives a step that it cut off a code of its own."""
    is_its_own = task and step and task.reason not in (step.termination, step.reason)
    return step.exit_code if step and is_its_own else None


def what_began(culprit: TaskRun | None, task_runs: Sequence[TaskRun]) -> str:
    """The part of a failed run that had begun, for people."""
    if culprit and culprit.started_before and not culprit.has_steps_that_started:
        return f"{STEPS_STARTED} in an earlier attempt of task {culprit.called!r}"
    is_custom = any(task.has_begun for task in task_runs)
    has_steps = any(task.has_steps_that_started or task.started_before for task in task_runs)
    return "A custom task had begun" if is_custom and not has_steps else STEPS_STARTED


def is_unchanged(run: Run, task_runs: Sequence[TaskRun]) -> bool:
    """Whether every attempt of a task that had begun says that it changed nothing.

    False where Tekton's count does not show that these are all, as after the deletion of one.
    """
    if not 0 < run.completed_tasks <= count_ended(task_runs):
        return False
    if any(task.kind is not ChildKind.TASK_RUN for task in task_runs):
        return False
    attempts = [attempt for task in task_runs for attempt in (*task.earlier, task)]
    begun = [attempt for attempt in attempts if attempt.has_steps_that_started]
    return bool(begun) and all(attempt.says_unchanged for attempt in begun)


def message_of(
    run: Run, task: TaskRun | None, step: Step | None, complaint: str, has_log: bool
) -> str:
    """The failure in Tekton's text, or in the node's text where that says more."""
    if task is None:
        return f"{run.reason}: {run.message}"
    if task.is_active:
        return f"{run.reason}: {run.message}; task {task.called!r} had not ended"
    if complaint and task.reason in tables.EXPLAINED_BY_THE_NODE:
        return f"task {task.called!r}: {task.reason}: {complaint}"
    if step is None:
        said = pod_end_of(task, step) or f"{task.reason}: {task.message}"
        return f"task {task.called!r}: {said}"
    where = f"task {task.called!r}, step {step.name!r}"
    if step.complaint:
        return f"{where} could not be started: {step.complaint}"
    if exit_code_of(task, step) is None:
        return f"{where}: {task.reason}: {task.message}"
    return where + _end_of(task, step, has_log)


def _end_of(task: TaskRun, step: Step, has_log: bool) -> str:
    """The end of a step that Tekton did not cut off, in words."""
    ended = f" ended with exit code {step.exit_code}"
    if end := pod_end_of(task, step):
        return f"{ended}: {end}"
    if step.is_out_of_memory:
        return f"{ended}: OOMKilled, it used more memory than its limit"
    if step.termination == "TimeoutExceeded":
        return f"{ended}: it took longer than its own time limit"
    then = _what_else(task, step)
    if task.own_message:
        return f"{ended}: {task.own_message}{then}"
    return ended + _remark_on(step.exit_code, has_log) + then


def _what_else(task: TaskRun, step: Step) -> str:
    """The end of the task after its step had failed, or the failure of a sidecar."""
    if task.reason in tables.OF_SIDECARS:
        return f"; beside it: {task.message}"
    return f"; Tekton then ended the task: {task.reason}" if failed_by_itself(task, step) else ""


def _remark_on(exit_code: int | None, has_log: bool) -> str:
    """Other meanings of an exit code: Tekton reports several ends by the same one."""
    if exit_code in tables.BY_SIGNAL and not has_log:
        return f": {STOPPED_AT_WORK}"
    if not has_log:
        return "; its pod was deleted, and its log is lost with it"
    if exit_code in tables.BY_SIGNAL:
        return ": a signal ended it from outside, or it exited with that code itself"
    if exit_code == tables.BY_TEKTON:
        return (
            "; Tekton reports this also for a command that does not exist and for a result that "
            "is too large, and says so in the log"
        )
    return ""


def command_for(run: Run, task: TaskRun | None, step: Step | None, has_log: bool) -> str:
    """The command that shows most: the log of the step, or the object with the failure."""
    if task is None:
        return command("kubectl", "describe", "pipelinerun", "-n", run.namespace, run.name)
    is_gone = not task.pod_name or task.reason in tables.POD_IS_GONE
    container = task.named_container if step is None else step.container
    never_ran = step is not None and bool(step.complaint)
    if never_ran or is_gone or not (container and has_log):
        return command("kubectl", "describe", task.kind.lower(), "-n", run.namespace, task.name)
    return command("kubectl", "logs", "-n", run.namespace, task.pod_name, "-c", container)
