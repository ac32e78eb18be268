"""The outcome of an execution: one value for each state of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api import duration
from workflowexecution.api.status import Phase
from workflowexecution.api.status_model import FailureDetails, SkipDetails
from workflowexecution.core.facts.hold import HELD, Hold
from workflowexecution.core.facts.run import Run

# A working Tekton begins with a run within a second, and ends it within seconds of its limit.
_TAKE_UP: Final = timedelta(seconds=30)
_LATE: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The current state of an execution, to be reported in its status.

    reason: a CamelCase token. message: for people.
    failures: in a row before the first step; None where they are not counted.
    next_allowed_at: aware UTC, the time of the next allowed attempt; None where none is known.
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
    """The outcome of a run; ``failure`` is given only where it has failed and stopped."""
    if failure is not None:
        return Outcome(
            phase=Phase.FAILED,
            reason=failure.reason,
            message=failure.natural_language_summary + _undeclared(run),
            run=run,
            failure=failure,
        )
    if run.succeeded == "True":
        message = run.result_text or _nothing_done(run) or run.message
        message += _undeclared(run)
        return Outcome(phase=Phase.COMPLETED, reason="Completed", message=message, run=run)
    return outcome_of_progress(run)


def outcome_of_progress(run: Run, complaint: str = "", waits_for: str = "") -> Outcome:
    """The outcome of an active run.

    Args:
        run: an active one.
        complaint: a step of Tekton that is late; empty where there is none.
        waits_for: why it does not go on, if that is known; else empty.
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
    """The note that a successful run did no work; empty where a task has run."""
    return f"no task has run, so nothing was done: {run.message}" if run.has_run_no_task else ""


def _undeclared(run: Run) -> str:
    """The parameters of an execution that its workflow does not declare; empty without any."""
    names = ", ".join(run.undeclared_parameters)
    return f"; the workflow declares no parameter {names}" if names else ""


def outcome_of_ending(run: Run, ending: str) -> Outcome:
    """The outcome of an active run that is being ended; ``ending`` has the progress of that."""
    return Outcome(phase=Phase.RUNNING, reason="Stopping", message=ending, run=run)


def _queued(run: Run) -> str:
    by = f"{run.managed_by} manages it" if run.managed_by else f"its spec.status is {run.asked}"
    return (
        f"PipelineRun {run.namespace}/{run.name} is queued by something in the cluster ({by}): its "
        "time limit counts from its start, and its target is held until it has ended"
    )


def outcome_of_stopping(run: Run, why_held: str) -> Outcome:
    """The outcome of a run that has ended or is deleted while parts of it may still execute.

    ``why_held`` says until when it holds its target.
    """
    has_ended = run.succeeded in ("True", "False")
    ended = f"ended ({run.ended_by or run.reason})" if has_ended else "was deleted"
    message = f"PipelineRun {run.namespace}/{run.name} {ended}; {why_held}"
    return Outcome(phase=Phase.RUNNING, reason="Stopping", message=message, run=run)


def outcome_of_failure(failure: FailureDetails) -> Outcome:
    """The outcome of an execution that ended without a run: refused, or its run was deleted."""
    return Outcome(
        phase=Phase.FAILED,
        reason=failure.reason,
        message=failure.natural_language_summary,
        failure=failure,
    )


def outcome_of_wait(phase: Phase, message: str) -> Outcome:
    """The outcome of an execution without a decision for now; its phase does not change."""
    return Outcome(phase=phase, reason="Waiting", message=message)


def outcome_of_hold(phase: Phase, hold: Hold) -> Outcome:
    """The outcome of an execution whose launch a person has stopped for now."""
    reason = HELD if hold.name else "Waiting"
    return Outcome(phase=phase, reason=reason, message=hold.describe())


@dataclass(frozen=True, slots=True)
class TektonDelay:
    """``complaint``: the late step of Tekton, or empty; ``until``: the time of the next check."""

    complaint: str
    until: datetime | None


def tekton_delay(run: Run, *, grace: timedelta, now: datetime) -> TektonDelay:
    """Check whether Tekton handles an active run in time.

    Args:
        run: a run that has not ended.
        grace: time after its time limit until it is given up; more than 30 s.
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
