"""Diagnosis of a failed run: its failed task and step, the class, and a command that shows more.

It is based on reasons and step states. Messages are for people. Some facts of Tekton and of the API
server are in messages only: ``tables`` and ``core.facts.taskrun`` search these few.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from typing import Final

from workflowexecution.api.status import FailureReason
from workflowexecution.core.diagnosis import tables
from workflowexecution.core.diagnosis.culprit import (
    STEPS_STARTED,
    command_for,
    culprit_of,
    exit_code_of,
    failed_by_itself,
    failed_step,
    is_unchanged,
    message_of,
    pod_end_of,
    what_began,
)
from workflowexecution.core.diagnosis.explanations import Cause
from workflowexecution.core.diagnosis.tables import Class, class_of_wait, results_missing
from workflowexecution.core.facts.leftovers import has_begun
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.step import Step
from workflowexecution.core.facts.taskrun import ChildKind, TaskRun
from workflowexecution.core.text import command

_IGNORED: Final = "FailureIgnored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The cause of a failure, before it is turned into text.

    task and step are None where none was at fault. ``see`` is a command that shows more.
    ``cause`` is set where the reason has several causes with different advice.
    has_started: whether a step had begun; None where it is not known.
    began: the part that may have changed something, for people.
    is_unchanged: whether all that had begun say that they changed nothing.
    """

    reason: FailureReason
    cause: Cause | None = None
    message: str
    see: str = ""
    task: TaskRun | None = None
    step: Step | None = None
    exit_code: int | None = None
    has_started: bool | None = False
    began: str = STEPS_STARTED
    is_unchanged: bool = False


def diagnose(
    run: Run,
    task_runs: Sequence[TaskRun],
    *,
    complaint: str = "",
    waited_for: str = "",
    pods: Container[str] | None = None,
    has_started: bool = False,
) -> Diagnosis:
    """Find the task and the step that made a run fail.

    Args:
        run: a run whose ``Succeeded`` condition is False.
        task_runs: all its children, in any order, in their final state; may be empty.
        complaint: why a node could not start a step, in the node's text; empty where it could.
        waited_for: why the run was last seen to wait with no step running; else empty.
        pods: names of the pods whose logs can be read; None where that is not known.
        has_started: whether another source shows that a step had begun.
    """
    has_worked = _only_lacks_a_result(run, task_runs)
    task = None if has_worked else culprit_of(task_runs)
    step = failed_step(task) if task and not task.is_active else None
    has_log = pods is None or (task is not None and task.pod_name in pods)
    begun = has_started or has_begun(task_runs)
    waited_for = _wait_of(task, waited_for) if _has_waited(run, task) else ""
    found = _class_of(run, task, step, has_log)
    if found == Class(FailureReason.DEADLINE_EXCEEDED):
        found = _class_of_wait(found, waited_for, begun=begun)
    message = message_of(run, task, step, complaint, has_log)
    if has_worked:
        message = results_missing(run.message) + message
    see = command_for(run, task, step, has_log)
    if found.cause in tables.OF_CREDENTIALS and run.reason == tables.NO_PIPELINE and run.account:
        message += f"; asked as ServiceAccount {run.namespace}/{run.account}"
        see = command("kubectl", "describe", "serviceaccount", "-n", run.namespace, run.account)
    return Diagnosis(
        reason=found.reason,
        cause=found.cause,
        message=f"{message}; {waited_for}" if waited_for else message,
        see=see,
        task=task,
        step=step,
        exit_code=exit_code_of(task, step),
        has_started=begun,
        began=what_began(task, task_runs),
        is_unchanged=is_unchanged(run, task_runs),
    )


def with_canceller(run: Run, found: Diagnosis) -> Diagnosis:
    """The diagnosis, with the person who cancelled the run, if one did with the plugin.

    Args:
        run: a run that has ended, or is deleted.
        found: the diagnosis without that.
    """
    by = run.cancellation if run.is_lost else run.ended_by
    if by is None:
        return found
    if (found.reason, found.cause) != (FailureReason.UNKNOWN, None):
        # Something had failed by itself before the end.
        return replace(found, message=f"{found.message}; the run was {by}")
    then = found.message if run.is_lost else _cut_off(found)
    return replace(found, cause=Cause.CANCELLED, message=f"{by}; {then}" if then else str(by))


def _cut_off(found: Diagnosis) -> str:
    """The step that was running, in words; empty where none had started."""
    if found.task is None or found.step is None or not found.has_started:
        return ""
    return f"task {found.task.called!r}, step {found.step.name!r} was cut off"


def _only_lacks_a_result(run: Run, task_runs: Sequence[TaskRun]) -> bool:
    """Whether a run failed only because it lacks a result, after all its tasks had succeeded."""
    has_worked = all(task.succeeded == "True" or task.reason == _IGNORED for task in task_runs)
    return run.reason == tables.RESULT_MISSING and bool(task_runs) and has_worked


def _has_waited(run: Run, task: TaskRun | None) -> bool:
    """Whether the time limit ended a run or task with no step running."""
    has_worked = task is not None and (task.has_begun or task.has_steps_that_started)
    if has_worked and not (task and task.was_held_last):
        return False
    reasons = (run.reason, task.reason if task else "")
    return any(reason in tables.TIMED_OUT for reason in reasons)


def _wait_of(task: TaskRun | None, waited_for: str) -> str:
    """The cause of the wait: as last seen, or as its pod has shown after its end."""
    if task is not None and task.was_held_last:
        return f"as last seen, {waited_for}" if waited_for else ""
    if waited_for or task is None or not task.wait:
        return waited_for
    return f"task {task.called!r} has not begun: {task.wait}"


def _is_the_cause(task: TaskRun, step: Step) -> bool:
    """Whether a step shows more than the reason that Tekton gives for its task."""
    return task.reason in tables.OF_SIDECARS or failed_by_itself(task, step)


def _class_of(run: Run, task: TaskRun | None, step: Step | None, has_log: bool) -> Class:
    if task is not None and (end := pod_end_of(task, step)):
        return tables.class_of_pod_end(end)
    if task is not None and step is not None and _is_the_cause(task, step):
        return Class(_reason_of_step(task, step, has_log))
    if task is not None and (known := tables.class_of_task(task.was, task.message)):
        return known
    is_of_task = task is not None and run.reason == tables.RESULT_MISSING
    if not is_of_task and (known := tables.class_of_run(run.reason, run.message)):
        return known
    if task is None or task.reason in tables.COLLATERAL:
        return Class(FailureReason.UNKNOWN)
    if known := tables.class_of_task(task.reason, task.message):
        return known
    if task.kind is not ChildKind.TASK_RUN:
        return _class_of_child(task)
    return _class_of_step(task, step, has_log) if step else Class(FailureReason.UNKNOWN)


def _class_of_step(task: TaskRun, step: Step, has_log: bool) -> Class:
    reason = _reason_of_step(task, step, has_log)
    is_lost = reason is FailureReason.TASK_FAILED and not has_log
    return Class(reason, Cause.LOG_LOST if is_lost else None)


def _class_of_wait(found: Class, waited_for: str, *, begun: bool | None) -> Class:
    """The class of a failure at a time limit, by the cause of its wait."""
    if waited_for and (known := class_of_wait(waited_for)):
        return known
    return Class(found.reason, Cause.NEVER_AT_WORK) if begun is False else found


def _class_of_child(task: TaskRun) -> Class:
    """The class of a custom task, which has reasons of its own, or of a pipeline that is a task."""
    if task.kind is ChildKind.CUSTOM_RUN and not task.is_active:
        return Class(FailureReason.TASK_FAILED)
    return tables.class_of_run(task.reason, task.message) or Class(FailureReason.UNKNOWN)


def _reason_of_step(task: TaskRun, step: Step, has_log: bool) -> FailureReason:
    if step.complaint:
        return FailureReason.CONFIGURATION_ERROR
    if step.is_out_of_memory:
        return FailureReason.OOM_KILLED
    if step.exit_code in tables.BY_SIGNAL and not has_log:
        return FailureReason.UNKNOWN
    if step.termination == "TimeoutExceeded":
        return FailureReason.DEADLINE_EXCEEDED
    return task.own_reason or FailureReason.TASK_FAILED
