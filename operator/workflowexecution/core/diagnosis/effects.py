"""The effects of a failed run: what of it had begun, and whether that says it changed nothing."""

from collections.abc import Sequence
from typing import Final

from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import ChildKind, TaskRun, count_ended

STEPS_STARTED: Final = "Steps had started"


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
