"""A diagnosis in the API's form: failureDetails, with a summary for all readers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api.reading import format_duration
from workflowexecution.api.status_model import FailureDetails
from workflowexecution.core.diagnosis.diagnose import Diagnosis
from workflowexecution.core.diagnosis.explanations import CAUSES, FAILURES, Cause, is_cancelled
from workflowexecution.core.facts.execution import Execution

_SEE: Final = "; see: "
_NOT_KNOWN: Final = "It is not known whether a step had begun"
_UNCHANGED: Final = "Nothing was changed, as the step says."


def details_of(
    diagnosis: Diagnosis,
    execution: Execution,
    *,
    task_names: Sequence[str] = (),
    started_at: datetime,
    failed_at: datetime,
) -> FailureDetails:
    """Turn a diagnosis into failureDetails; the same diagnosis gives the same text.

    Args:
        diagnosis: the cause of the failure.
        execution: the execution that failed.
        task_names: the resolved pipeline's tasks in order; they give the failed task its index.
        started_at: the start of the run, or the time of the refusal where no run was made.
        failed_at: aware UTC, not before started_at.
    """
    took = timedelta(seconds=int(max(failed_at - started_at, timedelta(0)).total_seconds()))
    name = diagnosis.task.task_name if diagnosis.task else ""
    see = f"{_SEE}{diagnosis.see}" if diagnosis.see else ""
    return FailureDetails(
        failed_task_index=task_names.index(name) if name in task_names else 0,
        failed_task_name=name,
        failed_step_name=diagnosis.step.name if diagnosis.step else None,
        reason=diagnosis.reason,
        message=diagnosis.message + see,
        exit_code=diagnosis.exit_code,
        failed_at=failed_at,
        execution_time_before_failure=took,
        natural_language_summary=summary_of(diagnosis, execution, took),
        was_execution_failure=diagnosis.has_started is not False,
    )


def summary_of(diagnosis: Diagnosis, execution: Execution, took: timedelta) -> str:
    """The summary of a failure: its cause, meaning and effects, and advice."""
    cause = diagnosis.cause
    explained = CAUSES[cause] if cause else FAILURES[diagnosis.reason]
    # The API has no reason for this; it is Unknown, and yet it is known.
    reason = "" if cause is Cause.CANCELLED else f"{diagnosis.reason}, "
    what = diagnosis.message.rstrip(".")
    return (
        f"{_failed(execution, took)}: {reason}{what}. {explained.means} "
        f"{_touched_by(diagnosis, execution)} "
        f"{explained.to_do}"
    )


def note_of(failure: FailureDetails, execution: Execution) -> str:
    """The note about a failure for users who may not read the execution.

    It has only text of our own: texts of Tekton and the API server may quote a parameter.
    """
    by_person = _cancelled(failure)
    explained = CAUSES[Cause.CANCELLED] if by_person else FAILURES[failure.reason]
    where = (
        failure.reason,
        f"task {failure.failed_task_name!r}" if failure.failed_task_name else "",
        f"step {failure.failed_step_name!r}" if failure.failed_step_name else "",
        f"exit code {failure.exit_code}" if failure.exit_code is not None else "",
    )
    summary = failure.natural_language_summary or ""
    began = _NOT_KNOWN if _NOT_KNOWN in summary else "Steps had started"
    touched = _touched(execution, began if failure.was_execution_failure else "")
    # What a step wrote may hold the first sentence too; the second is there unless it is true.
    if _UNCHANGED in summary and _may_be_changed(execution) not in summary:
        touched = _UNCHANGED
    return (
        f"{_failed(execution, failure.execution_time_before_failure)}: "
        f"{by_person or ', '.join(filter(None, where))}. {explained.means} {touched} "
        "Its status tells more."
    )


def _cancelled(failure: FailureDetails) -> str:
    """The person who cancelled the run and their reason, for people; empty where none did."""
    if not is_cancelled(failure.reason, failure.natural_language_summary or ""):
        return ""
    said, see, _ = failure.message.rpartition(_SEE)
    return (said if see else failure.message).rstrip(".")


def _failed(execution: Execution, took: timedelta) -> str:
    after = f" after {format_duration(took)}" if took else ""
    return f"Workflow {execution.workflow_id} on {execution.target} failed{after}"


def _touched_by(diagnosis: Diagnosis, execution: Execution) -> str:
    if diagnosis.has_started is None:
        return _touched(execution, _NOT_KNOWN)
    if diagnosis.has_started and diagnosis.is_unchanged:
        return _UNCHANGED
    return _touched(execution, diagnosis.began if diagnosis.has_started else "")


def _touched(execution: Execution, began: str) -> str:
    """Whether the target may have been changed; ``began`` is empty where no step had begun."""
    if began:
        return f"{began}, {_may_be_changed(execution)}"
    return "No step had started, so nothing was changed."


def _may_be_changed(execution: Execution) -> str:
    return f"so {execution.target} may have been changed."
