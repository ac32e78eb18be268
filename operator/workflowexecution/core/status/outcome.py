"""The outcome of an execution: one value for each possible state."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api import duration
from workflowexecution.api.status import (
    FailureDetails,
    Phase,
    SkipDetails,
)
from workflowexecution.core.facts.hold import Hold
from workflowexecution.core.facts.run import Run

# A working Tekton takes up a run within a second and ends one within a few of its limit.
_TAKE_UP: Final = timedelta(seconds=30)
_LATE: Final = timedelta(seconds=30)


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
    return f"no task has run, so nothing was done: {run.message}" if run.has_run_no_task else ""


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


@dataclass(frozen=True, slots=True)
class TektonDelay:
    """``complaint``: what Tekton has not done, empty if nothing; ``until``: when to look again."""

    complaint: str
    until: datetime | None


def tekton_delay(run: Run, *, grace: timedelta, now: datetime) -> TektonDelay:
    """Say whether an active run is doing what Tekton should have it do.

    Args:
        run: a run that has not ended.
        grace: how long after its time limit it is given up; more than 30 s.
        now: aware UTC.
    """
    if run.is_queued:
        return TektonDelay("", None)
    steps = [
        (run.waits_since + _TAKE_UP, _not_taken_up(run) if run.started_at is None else ""),
        *_late_steps(run, grace),
    ]
    said = [complaint for since, complaint in steps if complaint and now >= since]
    ahead = [since for since, _ in steps if since > now]
    return TektonDelay(said[-1] if said else "", min(ahead, default=None))


def _late_steps(run: Run, grace: timedelta) -> list[tuple[datetime, str]]:
    end = run.given_up_at(grace)
    if end is None or run.timeout is None:
        return []
    limit = duration.format_duration(run.timeout)
    late = (
        f"PipelineRun {run.namespace}/{run.name} is past its time limit of {limit} and Tekton "
        "has not ended it; is Tekton's controller running?"
    )
    return [(end - grace + _LATE, late), (end, late)]


def _not_taken_up(run: Run) -> str:
    return (
        f"Tekton has not taken up PipelineRun {run.namespace}/{run.name}; "
        "is Tekton's controller running?"
    )
