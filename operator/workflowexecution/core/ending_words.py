"""Messages about ending a run, for Events and for the status of its execution."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from workflowexecution.api import duration
from workflowexecution.core.facts.run import Asked, Run
from workflowexecution.core.run_ending import EndReason, EndRun, Tried, Way

_WHY: Final = {
    EndReason.EXECUTION_DELETED: "its WorkflowExecution was deleted",
    EndReason.EXECUTION_ENDED: "its WorkflowExecution has ended, or has another run",
}
_IN_THIS_WAY: Final = {
    Way.CANCEL_FIRST: "is cancelled, and its finally tasks run first",
    Way.CANCEL: "is cancelled",
    Way.DELETE: "is deleted",
}


def note_of_end(run: Run, verdict: EndRun, tried: Mapping[Way, Tried], grace: timedelta) -> str:
    """The action on a run, and its reason; ``tried`` has the results of earlier ways."""
    done = f"{_name_of(run)} {_IN_THIS_WAY[verdict.way]}: "
    causes = [_why_not_before(run, verdict.way, tried, grace), _why(verdict)]
    return done + ", and ".join(cause for cause in causes if cause)


def describe_ending(run: Run, tried: Mapping[Way, Tried], grace: timedelta) -> str:
    """The progress of ending an active run, for its execution; empty where nothing ends it."""
    given = duration.format_duration(grace)
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
    """Why the way before this one is not enough, or not possible."""
    given = duration.format_duration(grace)
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
