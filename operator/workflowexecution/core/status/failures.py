"""Failures that no run reports itself: refused, given up, or the run is lost."""

from datetime import datetime

from workflowexecution.api.status import FailureReason
from workflowexecution.core.diagnosis.diagnose import Diagnosis
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.status.outcome import Outcome, outcome_of_failure
from workflowexecution.core.text import command
from workflowexecution.core.verdict import Refuse

# What Tekton says of a run none of whose tasks has begun.
_BEFORE_ANY_TASK = ("Started", "ResolvingPipelineRef", "PipelineRunPending")


def outcome_of_refusal(execution: Execution, refusal: Refuse, now: datetime) -> Outcome:
    """An execution for which no run was made."""
    found = Diagnosis(reason=refusal.reason, cause=refusal.cause, message=refusal.problem)
    return _failed(execution, found, now)


def outcome_of_giving_up(
    execution: Execution, run: Run, *, has_started: bool | None, now: datetime
) -> Outcome:
    """A run that Tekton does not end long after its time limit.

    ``has_started``: None where it is not known whether a step had begun.
    """
    diagnosis = Diagnosis(
        reason=FailureReason.DEADLINE_EXCEEDED,
        message=(
            f"Tekton has not ended PipelineRun {run.namespace}/{run.name} long after its time "
            "limit; it is being cancelled, and its target is held until it has stopped"
        ),
        see=command("kubectl", "describe", "pipelinerun", "-n", run.namespace, run.name),
        has_started=has_started,
    )
    return _failed(execution, diagnosis, now)


def outcome_of_lost_run(execution: Execution, run: Run, now: datetime) -> Outcome:
    """A run that was deleted before Tekton gave its verdict."""
    how = "cancelled, and then deleted" if run.is_cancelled else "deleted by somebody else"
    diagnosis = Diagnosis(
        reason=FailureReason.UNKNOWN,
        message=f"PipelineRun {run.namespace}/{run.name} was {how}",
        see=command(
            "kubectl", "events", "-n", run.namespace, "--for", f"pipelinerun.tekton.dev/{run.name}"
        ),
        has_started=_had_started(execution, run),
    )
    return _failed(execution, diagnosis, now)


def _had_started(execution: Execution, run: Run) -> bool | None:
    """Whether a step had begun; None where nobody saw, and the status does not rule it out."""
    if run.has_started is not None:
        return run.has_started
    status = execution.raw.get("status") or {}
    is_before = (status.get("pipelineRunStatus") or {}).get("reason") in _BEFORE_ANY_TASK
    return False if is_before and not run.task_names else None


def _failed(execution: Execution, diagnosis: Diagnosis, now: datetime) -> Outcome:
    started_at = execution.started_at or now
    failure = details_of(diagnosis, execution, started_at=started_at, failed_at=now)
    return outcome_of_failure(failure)
