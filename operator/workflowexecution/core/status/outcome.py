"""What an execution amounts to now: one value for each way it can stand."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflowexecution.api import duration
from workflowexecution.api.status import (
    ConflictingWorkflow,
    FailureDetails,
    Phase,
    RecentRemediation,
    SkipDetails,
    SkipReason,
)
from workflowexecution.core.facts.run import Run
from workflowexecution.core.verdict import Skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an execution amounts to now; ``reason`` is a CamelCase token, ``message`` for people."""

    phase: Phase
    reason: str
    message: str
    run: Run | None = None
    failure: FailureDetails | None = None
    skip: SkipDetails | None = None


def outcome_of_run(run: Run, failure: FailureDetails | None) -> Outcome:
    """What a run amounts to; ``failure`` is given exactly where it has failed and stopped."""
    if failure is not None:
        return Outcome(
            phase=Phase.FAILED,
            reason=failure.reason,
            message=failure.natural_language_summary,
            run=run,
            failure=failure,
        )
    if run.succeeded == "True":
        message = run.told or run.message
        return Outcome(phase=Phase.COMPLETED, reason="Completed", message=message, run=run)
    return outcome_of_progress(run)


def outcome_of_progress(run: Run, complaint: str = "") -> Outcome:
    """A run under way; ``complaint`` says what Tekton should have done with it by now."""
    if complaint:
        return Outcome(phase=Phase.RUNNING, reason="WaitingForTekton", message=complaint, run=run)
    message = f"PipelineRun {run.namespace}/{run.name} is running"
    return Outcome(phase=Phase.RUNNING, reason="Running", message=message, run=run)


def outcome_of_stopping(run: Run, waiting_for: str) -> Outcome:
    """A run that has ended or is deleted while something of it may still execute.

    ``waiting_for`` says what has to happen before its target is free.
    """
    ended = f"ended ({run.reason})" if run.succeeded == "False" else "was deleted"
    message = (
        f"PipelineRun {run.namespace}/{run.name} {ended}; the target is held until {waiting_for}"
    )
    return Outcome(phase=Phase.RUNNING, reason="Stopping", message=message, run=run)


def outcome_of_failure(failure: FailureDetails) -> Outcome:
    """An execution that ended without a run to show for it: refused, or its run was deleted."""
    return Outcome(
        phase=Phase.FAILED,
        reason=failure.reason,
        message=failure.natural_language_summary,
        failure=failure,
    )


def outcome_of_wait(phase: Phase, message: str) -> Outcome:
    """An execution of which nothing can be decided for now; its phase stays what it is."""
    return Outcome(phase=phase, reason="Waiting", message=message)


def outcome_of_skip(skip: Skip, now: datetime) -> Outcome:
    """A skip with its evidence, in full."""
    details = _busy(skip, now) if skip.reason is SkipReason.RESOURCE_BUSY else _recent(skip, now)
    return Outcome(phase=Phase.SKIPPED, reason=skip.reason, message=details.message, skip=details)


def _busy(skip: Skip, now: datetime) -> SkipDetails:
    holder = skip.evidence
    return SkipDetails(
        reason=skip.reason,
        message=(
            f"target {holder.target} is being changed by WorkflowExecution "
            f"{holder.namespace}/{holder.name} (workflow {holder.workflow_id}, "
            f"PipelineRun {holder.run_name})"
        ),
        skipped_at=now,
        conflicting_workflow=ConflictingWorkflow(
            name=holder.name,
            namespace=holder.namespace,
            workflow_id=holder.workflow_id,
            started_at=holder.started_at or now,
            target_resource=holder.target,
        ),
    )


def _recent(skip: Skip, now: datetime) -> SkipDetails:
    last = skip.evidence
    assert skip.until is not None
    assert last.completed_at is not None
    assert last.outcome is not None
    # Rounded up: an orchestrator that waits this long must not come back a moment too early.
    remaining = timedelta(seconds=math.ceil((skip.until - now).total_seconds()))
    return SkipDetails(
        reason=skip.reason,
        message=(
            f"workflow {last.workflow_id} ended on target {last.target} less than the cooldown ago "
            f"({last.outcome}, WorkflowExecution {last.namespace}/{last.name}); "
            f"it may run again in {duration.format_duration(remaining)}"
        ),
        skipped_at=now,
        recent_remediation=RecentRemediation(
            name=last.name,
            namespace=last.namespace,
            workflow_id=last.workflow_id,
            completed_at=last.completed_at,
            outcome=last.outcome,
            target_resource=last.target,
            cooldown_remaining=remaining,
        ),
    )
