"""Final outcomes that no run reports: skipped, refused, given up, or the run is lost."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api.reading import format_duration
from workflowexecution.api.status import FailureReason, Phase, SkipReason
from workflowexecution.api.status_model import (
    ConflictingWorkflow,
    RecentRemediation,
    RequestReference,
    SkipDetails,
)
from workflowexecution.core.diagnosis.diagnose import Diagnosis, with_canceller
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.status.outcome import Outcome, outcome_of_failure
from workflowexecution.core.text import AGAIN_IN, SKIPPED_UNTIL_CLEARED, clear_command, command
from workflowexecution.core.verdict import Refuse, Skip

# Tekton's reasons for a run with no task started.
_BEFORE_ANY_TASK = ("Started", "ResolvingPipelineRef", "PipelineRunPending")


def outcome_of_refusal(execution: Execution, refusal: Refuse, now: datetime) -> Outcome:
    """The outcome of an execution for which no run was made."""
    found = Diagnosis(reason=refusal.reason, cause=refusal.cause, message=refusal.problem)
    return _failed(execution, found, now)


def outcome_of_giving_up(
    execution: Execution, run: Run, *, has_started: bool | None, now: datetime
) -> Outcome:
    """The outcome of a run that Tekton does not end long after its time limit.

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
    """The outcome of a run that was deleted before Tekton reported its result."""
    how = "cancelled, and then deleted" if run.is_cancelled else "deleted by somebody else"
    diagnosis = Diagnosis(
        reason=FailureReason.UNKNOWN,
        message=f"PipelineRun {run.namespace}/{run.name} was {how}",
        see=command(
            "kubectl", "events", "-n", run.namespace, "--for", f"pipelinerun.tekton.dev/{run.name}"
        ),
        has_started=_had_started(execution, run),
    )
    return _failed(execution, with_canceller(run, diagnosis), now)


def _had_started(execution: Execution, run: Run) -> bool | None:
    """Whether a step had begun; None where it was not seen and the status does not rule it out."""
    if run.has_started is not None:
        return run.has_started
    status = execution.raw.get("status") or {}
    is_before = (status.get("pipelineRunStatus") or {}).get("reason") in _BEFORE_ANY_TASK
    return False if is_before and not run.task_names else None


def _failed(execution: Execution, diagnosis: Diagnosis, now: datetime) -> Outcome:
    started_at = execution.started_at or now
    failure = details_of(diagnosis, execution, started_at=started_at, failed_at=now)
    return outcome_of_failure(failure)


def outcome_of_skip(skip: Skip, now: datetime) -> Outcome:
    """The outcome of a skip, with its full evidence."""
    details = _DETAILS[skip.reason](skip, now)
    return Outcome(
        phase=Phase.SKIPPED,
        reason=skip.reason,
        message=details.message,
        skip=details,
        failures=skip.failures or None,
        next_allowed_at=_whole_second_from(skip.until) if skip.until else None,
    )


def _whole_second_from(moment: datetime) -> datetime:
    """Rounded up: an orchestrator that waits until then must not come a moment too early."""
    return moment + timedelta(microseconds=-moment.microsecond % 1_000_000)


def _request(of: Evidence) -> RequestReference | None:
    request = of.request
    if request is None:
        return None
    return RequestReference(name=request.name, namespace=request.namespace, uid=request.uid or None)


def _busy(skip: Skip, now: datetime) -> SkipDetails:
    holder = skip.evidence
    # A run without a known execution is reported under its own name.
    by = (
        f"PipelineRun {holder.namespace}/{holder.run_name}, which no WorkflowExecution is known for"
        if holder.name == holder.run_name
        else f"WorkflowExecution {holder.namespace}/{holder.name} (workflow {holder.workflow_id}, "
        f"PipelineRun {holder.run_name})"
    )
    return SkipDetails(
        reason=skip.reason,
        message=f"target {holder.target} is being changed by {by}",
        skipped_at=now,
        conflicting_workflow=ConflictingWorkflow(
            name=holder.name,
            namespace=holder.namespace,
            workflow_id=holder.workflow_id,
            started_at=holder.started_at or now,
            target_resource=holder.target,
            remediation_request_ref=_request(holder),
        ),
    )


def _recent(skip: Skip, now: datetime) -> SkipDetails:
    last = skip.evidence
    assert skip.until is not None
    # Rounded up: an orchestrator that waits this long must not come back a moment too early.
    remaining = timedelta(seconds=math.ceil((skip.until - now).total_seconds()))
    if skip.failures:
        happened = f"{_failed_in_a_row(skip)} ({_who(last)})"
    else:
        happened = (
            f"workflow {last.workflow_id} ended on target {last.target} less than the cooldown ago "
            f"({last.outcome}, {_who(last)})"
        )
    message = f"{happened}{AGAIN_IN}{format_duration(remaining)}"
    if last.outcome is Phase.FAILED and last.name != last.run_name:
        clear = clear_command(last.namespace, last.name)
        message += f"; to lift that earlier, once somebody has looked: {clear}"
    return _because_of_the_past(skip, message, now, remaining)


def _failed_before(skip: Skip, now: datetime) -> SkipDetails:
    last = skip.evidence
    message = (
        f"workflow {last.workflow_id} failed at work on target {last.target} ({_who(last)}), so "
        f"the target may be half changed{_to_clear(last)}"
    )
    return _because_of_the_past(skip, message, now)


def _exhausted(skip: Skip, now: datetime) -> SkipDetails:
    last = skip.evidence
    message = f"{_failed_in_a_row(skip)} (last {_who(last)}){_to_clear(last)}"
    return _because_of_the_past(skip, message, now)


def _because_of_the_past(
    skip: Skip, message: str, now: datetime, remaining: timedelta | None = None
) -> SkipDetails:
    last = skip.evidence
    assert last.completed_at is not None
    assert last.outcome is not None
    return SkipDetails(
        reason=skip.reason,
        message=message,
        skipped_at=now,
        recent_remediation=RecentRemediation(
            name=last.name,
            namespace=last.namespace,
            workflow_id=last.workflow_id,
            completed_at=last.completed_at,
            outcome=last.outcome,
            target_resource=last.target,
            cooldown_remaining=remaining,
            remediation_request_ref=_request(last),
        ),
    )


def _who(last: Evidence) -> str:
    return f"WorkflowExecution {last.namespace}/{last.name}"


def _failed_in_a_row(skip: Skip) -> str:
    last, times = skip.evidence, "once" if skip.failures == 1 else f"{skip.failures} times in a row"
    return f"workflow {last.workflow_id} failed {times} before it began on target {last.target}"


def _to_clear(last: Evidence) -> str:
    # A run that a user made by hand has no execution to name.
    is_by_hand = last.name == last.run_name
    clear = clear_command() if is_by_hand else clear_command(last.namespace, last.name)
    return f"{SKIPPED_UNTIL_CLEARED}{clear}"


_DETAILS: Final[dict[SkipReason, Callable[[Skip, datetime], SkipDetails]]] = {
    SkipReason.RESOURCE_BUSY: _busy,
    SkipReason.RECENTLY_REMEDIATED: _recent,
    SkipReason.PREVIOUS_EXECUTION_FAILED: _failed_before,
    SkipReason.EXHAUSTED_RETRIES: _exhausted,
}
