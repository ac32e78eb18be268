"""The status that reports an outcome: the only place that composes one."""

from datetime import UTC, datetime
from typing import Any, Final

from workflowexecution.api.status import (
    PipelineRunRef,
    PipelineRunStatus,
    WorkflowExecutionStatus,
)
from workflowexecution.core.facts.run import Run
from workflowexecution.core.status.bundle import claim_on_bundle
from workflowexecution.core.status.conditions import conditions_for
from workflowexecution.core.status.outcome import Outcome

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


def status_for(
    current: WorkflowExecutionStatus,
    outcome: Outcome,
    *,
    generation: int,
    now: datetime,
    asked: str = "",
) -> WorkflowExecutionStatus:
    """Compose the status that tells an outcome; called twice it gives the same status.

    ``asked`` is the digest that the execution pins its bundle by, empty where it has none.

    A terminal status is returned as it is: it never changes.
    """
    if current.phase is not None and current.phase.is_terminal:
        return current
    run = outcome.run
    started_at = current.start_time or (run.created_at if run else None)
    completed_at = _completion_time(outcome, started_at, now)
    ref = (
        PipelineRunRef(name=run.name, namespace=run.namespace) if run else current.pipeline_run_ref
    )
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
            **_counts(outcome),
            "conditions": conditions_for(
                current.conditions,
                phase=outcome.phase,
                reason=outcome.reason,
                message=outcome.message,
                has_run=ref is not None,
                on_bundle=claim_on_bundle(asked, run) if run else None,
                generation=generation,
                now=now,
            ),
        }
    )


def _counts(outcome: Outcome) -> dict[str, Any]:
    """What is counted where that is asked for; nothing where it is not."""
    if outcome.failures is None:
        return {}
    return {
        "consecutive_failures": outcome.failures,
        "next_allowed_execution": outcome.next_allowed_at,
    }


def _completion_time(
    outcome: Outcome, started_at: datetime | None, now: datetime
) -> datetime | None:
    """When it ended, to the second: durations shown must agree with the times shown."""
    if not outcome.phase.is_terminal:
        return None
    ended_at = outcome.run.ended_at(now) if outcome.run else now
    return max(ended_at.replace(microsecond=0), started_at or _LONG_AGO)


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
