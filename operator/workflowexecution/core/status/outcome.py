"""The outcome of an execution: one value for each state of it, and the words about ending its run.

The words are for Events, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api.reading import format_duration
from workflowexecution.api.status import Phase
from workflowexecution.api.status_model import FailureDetails, SkipDetails
from workflowexecution.core.facts.hold import HELD, Hold
from workflowexecution.core.facts.run import Asked, Run
from workflowexecution.core.run_ending import EndReason, EndRun, Tried, Way

# A working Tekton begins with a run within a second, and ends it within seconds of its limit.
_TAKE_UP: Final = timedelta(seconds=30)
_LATE: Final = timedelta(seconds=30)
_WHY: Final = {
    EndReason.EXECUTION_DELETED: "its WorkflowExecution was deleted",
    EndReason.EXECUTION_ENDED: "its WorkflowExecution has ended, or has another run",
}
_IN_THIS_WAY: Final = {
    Way.CANCEL_FIRST: "is cancelled, and its finally tasks run first",
    Way.CANCEL: "is cancelled",
    Way.DELETE: "is deleted",
}


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
            message=failure.natural_language_summary,
            run=run,
            failure=failure,
        )
    if run.succeeded == "True":
        message = run.result_text or _nothing_done(run) or run.message
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
    message = f"PipelineRun {run.namespace}/{run.name} is running"
    return Outcome(phase=Phase.RUNNING, reason="Running", message=message, run=run)


def _nothing_done(run: Run) -> str:
    """The note that a successful run did no work; empty where a task has run."""
    return f"no task has run, so nothing was done: {run.message}" if run.has_run_no_task else ""


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


def note_of_end(run: Run, verdict: EndRun, tried: Mapping[Way, Tried], grace: timedelta) -> str:
    """The action on a run, and its reason; ``tried`` has the results of earlier ways."""
    done = f"{_name_of(run)} {_IN_THIS_WAY[verdict.way]}: "
    causes = [_why_not_before(run, verdict.way, tried, grace), _why(verdict)]
    return done + ", and ".join(cause for cause in causes if cause)


def describe_ending(run: Run, tried: Mapping[Way, Tried], grace: timedelta) -> str:
    """The progress of ending an active run, for its execution; empty where nothing ends it."""
    given = format_duration(grace)
    if Way.DELETE in tried and tried[Way.DELETE].refusal:
        return (
            f"{_name_of(run)} should end and works on, so its target stays held: it cannot be "
            f"deleted ({tried[Way.DELETE].refusal}){_refused_cancel(tried)}; take away what "
            f"refuses that: it is tried again every {given}"
        )
    if refused := _refused_cancel(tried):
        return f"{_name_of(run)} should end{refused}; it is deleted within {given}"
    who = f"; {run.cancellation}" if run.cancellation else ""
    if run.asked is Asked.CANCEL_FIRST:
        return (
            f"{_name_of(run)} is being cancelled: its finally tasks run, for {given} at most{who}"
        )
    if run.asked is Asked.CANCEL:
        return f"{_name_of(run)} is being cancelled; after {given} it is deleted instead{who}"
    return ""


def held_until_stopped(left: str, refusal: str) -> str:
    """The condition on which a run that has ended will free its target.

    Args:
        left: the part that may still execute; empty where that is not known: so is the result.
        refusal: why that part may not be deleted; else empty.
    """
    why = f"; it cannot be deleted: {refusal}" if refusal else ""
    return f"the target is held until {left} has stopped{why}" if left else ""


def held_until_readable(refusal: str) -> str:
    """The message that the leftovers of a run cannot be read, so its target stays held."""
    return f"the target is held until what is left of it can be read: {refusal}"


def _why(verdict: EndRun) -> str:
    if verdict.rival is None:
        return _WHY.get(verdict.reason, "")
    first = verdict.rival
    who = f"{first.run_name} of WorkflowExecution {first.namespace}/{first.name}"
    return f"{who} was on target {first.target} first"


def _why_not_before(run: Run, way: Way, tried: Mapping[Way, Tried], grace: timedelta) -> str:
    """The reason why the way before this one is not enough, or not possible."""
    given = format_duration(grace)
    if way is Way.CANCEL and run.asked is Asked.CANCEL_FIRST:
        return f"its finally tasks have not ended within {given}"
    if way is not Way.DELETE:
        return ""
    if run.asked is Asked.CANCEL:
        how = run.cancellation or "cancelled"
        return f"it was {how}, and Tekton has not ended it within {given}"
    refusal = tried[Way.CANCEL].refusal or f"no answer within {given}"
    return f"it could not be cancelled ({refusal})"


def _refused_cancel(tried: Mapping[Way, Tried]) -> str:
    refusals = [tried[way].refusal for way in (Way.CANCEL, Way.CANCEL_FIRST) if way in tried]
    refusal = next(filter(None, refusals), "")
    return f", and cannot be cancelled ({refusal})" if refusal else ""


def _name_of(run: Run) -> str:
    return f"PipelineRun {run.namespace}/{run.name}"


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
    limit = format_duration(run.timeout)
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
