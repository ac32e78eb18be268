"""The status of an execution: the only place that composes one, and the patch that writes it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from workflowexecution.api import duration
from workflowexecution.api.status import (
    ConflictingWorkflow,
    FailureDetails,
    Phase,
    PipelineRunRef,
    PipelineRunStatus,
    RecentRemediation,
    SkipDetails,
    SkipReason,
    WorkflowExecutionStatus,
)
from workflowexecution.core.conditions import conditions_for
from workflowexecution.core.observation import Run
from workflowexecution.core.verdict import Skip

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an execution amounts to now; ``reason`` is a CamelCase token, ``message`` for people."""

    phase: Phase
    reason: str
    message: str
    run: Run | None = None
    failure: FailureDetails | None = None
    skip: SkipDetails | None = None


def status_for(
    current: WorkflowExecutionStatus, outcome: Outcome, *, generation: int, now: datetime
) -> WorkflowExecutionStatus:
    """Compose the status that tells an outcome; called twice it gives the same status.

    A terminal status is returned as it is: it never changes.
    """
    if current.phase is not None and current.phase.is_terminal:
        return current
    run = outcome.run
    started_at = current.start_time or (run.created_at if run else None)
    completed_at = _completion_time(outcome, started_at, now)
    ref = PipelineRunRef(name=run.name) if run else current.pipeline_run_ref
    return current.model_copy(
        update={
            "observed_generation": generation,
            "phase": outcome.phase,
            "start_time": started_at,
            "completion_time": completed_at,
            "duration": completed_at - started_at if completed_at and started_at else None,
            "pipeline_run_ref": ref,
            "pipeline_run_status": _mirror_of(run) if run else current.pipeline_run_status,
            "failure_reason": outcome.failure.reason.value if outcome.failure else None,
            "failure_details": outcome.failure,
            "skip_details": outcome.skip,
            "conditions": conditions_for(
                current.conditions,
                phase=outcome.phase,
                reason=outcome.reason,
                message=outcome.message,
                has_run=ref is not None,
                is_as_pinned=run.is_as_pinned if run else None,
                generation=generation,
                now=now,
            ),
        }
    )


def _completion_time(
    outcome: Outcome, started_at: datetime | None, now: datetime
) -> datetime | None:
    """When it ended, to the second: durations shown must agree with the times shown."""
    if not outcome.phase.is_terminal:
        return None
    ended_at = outcome.run.completed_at if outcome.run else None
    # Creation is the API server's time, completion Tekton's: their clocks may differ.
    return max((ended_at or now).replace(microsecond=0), started_at or _LONG_AGO)


def _mirror_of(run: Run) -> PipelineRunStatus:
    """What the run says; counts only once the pipeline is resolved and there is a total."""
    total = len(run.task_names)
    return PipelineRunStatus(
        status=run.succeeded,
        reason=run.reason or None,
        message=run.message or None,
        completed_tasks=run.completed_tasks if total else None,
        total_tasks=total or None,
    )


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
        return Outcome(phase=Phase.COMPLETED, reason="Completed", message=run.message, run=run)
    return outcome_of_progress(run)


def outcome_of_progress(run: Run, complaint: str = "") -> Outcome:
    """A run under way; ``complaint`` says what Tekton should have done with it by now."""
    if complaint:
        return Outcome(phase=Phase.RUNNING, reason="WaitingForTekton", message=complaint, run=run)
    message = f"PipelineRun {run.namespace}/{run.name} is running"
    return Outcome(phase=Phase.RUNNING, reason="Running", message=message, run=run)


def outcome_of_stopping(run: Run) -> Outcome:
    """A run that Tekton calls ended while something of it may still execute."""
    message = f"PipelineRun {run.namespace}/{run.name} ended ({run.reason}); its pods are stopping"
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


def parse_status(raw: Mapping[str, Any]) -> WorkflowExecutionStatus:
    """Read a status; fields that somebody else wrote in a form of their own read as absent."""
    try:
        return WorkflowExecutionStatus.model_validate(raw)
    except ValidationError as error:
        wrong = {str(item["loc"][0]) for item in error.errors()}
        return WorkflowExecutionStatus.model_validate(
            {key: value for key, value in raw.items() if key not in wrong}
        )


def status_to_json(status: WorkflowExecutionStatus) -> dict[str, Any]:
    """The status as the API carries it; fields without a value are absent."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def status_patch(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Merge patch that turns one status into the other; empty when they say the same.

    Whatever is no longer wanted is nulled, at any depth: a merge patch keeps what it does not name.
    """
    changed = {
        key: _value_patch(current.get(key), value)
        for key, value in wanted.items()
        if key not in current or current[key] != value
    }
    return {**changed, **{key: None for key in current if key not in wanted}}


def _value_patch(before: Any, value: Any) -> Any:
    both = isinstance(before, Mapping) and isinstance(value, Mapping)
    return status_patch(before, value) if both else value
