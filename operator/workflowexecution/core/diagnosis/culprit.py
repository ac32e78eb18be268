"""The task and the step that made a run fail, and what of the run may have changed something."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import takewhile
from typing import Final

from workflowexecution.core.diagnosis import tables
from workflowexecution.core.facts.pod import PodEnd
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.step import Step
from workflowexecution.core.facts.taskrun import ChildKind, TaskRun, count_ended

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
