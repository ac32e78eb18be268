"""The outcome of an execution: one value for each possible state."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api import duration
from workflowexecution.api.status import (
    ConflictingWorkflow,
    FailureDetails,
    Phase,
    RecentRemediation,
    SkipDetails,
    SkipReason,
)
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.hold import Hold
from workflowexecution.core.facts.pipeline import has_run_none
from workflowexecution.core.facts.run import Run
from workflowexecution.core.text import command
from workflowexecution.core.verdict import Skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an execution amounts to now.

    reason: a CamelCase token. message: for people.
    failures: in a row before a step had begun; None where they are not counted.
    next_allowed_at: aware UTC, when the same may be tried again; None where no time is known.
    """

    phase: Phase
    reason: str
    message: str
    run: Run | None = None
    failure: FailureDetails | None = None
    skip: SkipDetails | None = None
    failures: int | None = None
    next_allowed_at: datetime | None = None


def outcome_of_run(run: Run, failure: FailureDetails | None) -> Outcome:
    """What a run amounts to; ``failure`` is given exactly where it has failed and stopped."""
    if failure is not None:
        return Outcome(
            phase=Phase.FAILED,
            reason=failure.reason,
            message=failure.natural_language_summary + _undeclared(run),
            run=run,
            failure=failure,
        )
    if run.succeeded == "True":
        message = run.told or _nothing_done(run) or run.message
        message += _undeclared(run)
        return Outcome(phase=Phase.COMPLETED, reason="Completed", message=message, run=run)
    return outcome_of_progress(run)


def outcome_of_progress(run: Run, complaint: str = "", waits_for: str = "") -> Outcome:
    """A run under way.

    Args:
        run: an active one.
        complaint: what Tekton should have done with it by now; empty where nothing.
        waits_for: why it does not go on, as far as that is known; else empty.
    """
    if run.is_queued:
        return Outcome(phase=Phase.RUNNING, reason="Queued", message=_queued(run), run=run)
    if complaint:
        complaint = f"{complaint} It waits: {waits_for}" if waits_for else complaint
        return Outcome(phase=Phase.RUNNING, reason="WaitingForTekton", message=complaint, run=run)
    if waits_for:
        message = f"PipelineRun {run.namespace}/{run.name} waits: {waits_for}"
        return Outcome(phase=Phase.RUNNING, reason="Waiting", message=message, run=run)
    message = f"PipelineRun {run.namespace}/{run.name} is running{_undeclared(run)}"
    return Outcome(phase=Phase.RUNNING, reason="Running", message=message, run=run)


def _nothing_done(run: Run) -> str:
    """That a good end stands for no work; empty where a task has run."""
    return (
        f"no task has run, so nothing was done: {run.message}" if has_run_none(run.message) else ""
    )


def _undeclared(run: Run) -> str:
    """Which parameters of an execution its workflow does not know; empty where it knows all."""
    names = ", ".join(run.undeclared_parameters)
    return f"; the workflow declares no parameter {names}" if names else ""


def outcome_of_ending(run: Run, ending: str) -> Outcome:
    """A run that should end and is still active; ``ending`` says how far that is."""
    return Outcome(phase=Phase.RUNNING, reason="Stopping", message=ending, run=run)


def _queued(run: Run) -> str:
    by = f"{run.managed_by} manages it" if run.managed_by else f"its spec.status is {run.asked}"
    return (
        f"PipelineRun {run.namespace}/{run.name} is queued by something in the cluster ({by}): its "
        "time limit counts from its start, and its target is held until it has ended"
    )


def outcome_of_stopping(run: Run, why_held: str) -> Outcome:
    """A run that has ended or is deleted while something of it may still execute.

    ``why_held`` says until when it holds its target.
    """
    has_ended = run.succeeded in ("True", "False")
    ended = f"ended ({run.reason})" if has_ended else "was deleted"
    message = f"PipelineRun {run.namespace}/{run.name} {ended}; {why_held}"
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


def outcome_of_hold(phase: Phase, hold: Hold) -> Outcome:
    """An execution that a person does not want to be launched for now."""
    reason = "Held" if hold.name else "Waiting"
    return Outcome(phase=phase, reason=reason, message=hold.describe())


def outcome_of_skip(skip: Skip, now: datetime) -> Outcome:
    """A skip with its evidence, in full."""
    details = _DETAILS[skip.reason](skip, now)
    return Outcome(
        phase=Phase.SKIPPED,
        reason=skip.reason,
        message=details.message,
        skip=details,
        failures=skip.failures or None,
        next_allowed_at=skip.until if skip.failures else None,
    )


def _busy(skip: Skip, now: datetime) -> SkipDetails:
    holder = skip.evidence
    # A run that no execution is known for stands under its own name.
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
    message = f"{happened}; it may run again in {duration.format_duration(remaining)}"
    return _because_of_the_past(skip, message, now, remaining)


def _failed_before(skip: Skip, now: datetime) -> SkipDetails:
    last = skip.evidence
    message = (
        f"workflow {last.workflow_id} failed at work on target {last.target} ({_who(last)}), so "
        f"the target may be half changed; {_to_clear(last)}"
    )
    return _because_of_the_past(skip, message, now)


def _exhausted(skip: Skip, now: datetime) -> SkipDetails:
    last = skip.evidence
    message = f"{_failed_in_a_row(skip)} (last {_who(last)}); {_to_clear(last)}"
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
        ),
    )


def _who(last: Evidence) -> str:
    return f"WorkflowExecution {last.namespace}/{last.name}"


def _failed_in_a_row(skip: Skip) -> str:
    last, times = skip.evidence, "once" if skip.failures == 1 else f"{skip.failures} times in a row"
    return f"workflow {last.workflow_id} failed {times} before it began on target {last.target}"


def _to_clear(last: Evidence) -> str:
    # A run that somebody made by hand has no execution that could be named.
    which = () if last.name == last.run_name else ("-n", last.namespace, last.name)
    clear = command("kubectl", "wfe", "clear", *which)
    return f"it is skipped until a person has looked and cleared that: {clear}"


_DETAILS: Final[dict[SkipReason, Callable[[Skip, datetime], SkipDetails]]] = {
    SkipReason.RESOURCE_BUSY: _busy,
    SkipReason.RECENTLY_REMEDIATED: _recent,
    SkipReason.PREVIOUS_EXECUTION_FAILED: _failed_before,
    SkipReason.EXHAUSTED_RETRIES: _exhausted,
}
