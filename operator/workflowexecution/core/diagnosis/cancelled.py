"""Diagnosis of a run that a person has cancelled: their name and reason, and earlier failures."""

from dataclasses import replace

from workflowexecution.api.status import FailureReason
from workflowexecution.core.diagnosis.diagnose import Diagnosis
from workflowexecution.core.diagnosis.explanations import Cause
from workflowexecution.core.facts.run import Run


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
