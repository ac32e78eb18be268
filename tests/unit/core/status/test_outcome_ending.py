"""The messages about a run that is being ended are exact."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import NOW, TARGET, make_run
from workflowexecution.core.evidence import holder_of
from workflowexecution.core.facts.execution import cancellation_of
from workflowexecution.core.facts.run import Asked, Run
from workflowexecution.core.run_ending import EndReason, EndRun, Tried, Way
from workflowexecution.core.status.outcome import describe_ending, note_of_end

RUN = make_run("mine")
NAME = f"PipelineRun {RUN.namespace}/{RUN.name}"
RIVAL = holder_of(make_run("older", number=2), TARGET)
GRACE, AGO = timedelta(minutes=2), timedelta(0)
WAITING = Tried(ago=AGO)
REFUSED = Tried(ago=AGO, refusal="400: only status updates", is_final=True)


def asked(way: Asked) -> Run:
    return replace(RUN, asked=way)


@pytest.mark.parametrize(
    ("run", "verdict", "tried", "expected"),
    [
        (
            RUN,
            EndRun(Way.CANCEL, EndReason.EXECUTION_DELETED),
            {},
            "is cancelled: its WorkflowExecution was deleted",
        ),
        (
            RUN,
            EndRun(Way.CANCEL_FIRST, EndReason.EXECUTION_ENDED),
            {},
            "is cancelled, and its finally tasks run first: its WorkflowExecution has ended, or "
            "has another run",
        ),
        (
            RUN,
            EndRun(Way.CANCEL, EndReason.SECOND_ON_TARGET, RIVAL),
            {},
            f"is cancelled: {RIVAL.run_name} of WorkflowExecution {RIVAL.namespace}/older was on "
            f"target {TARGET} first",
        ),
        (
            asked(Asked.CANCEL_FIRST),
            EndRun(Way.CANCEL, EndReason.CANCELLED),
            {Way.CANCEL_FIRST: WAITING},
            "is cancelled: its finally tasks have not ended within 2m0s",
        ),
        (
            asked(Asked.CANCEL),
            EndRun(Way.DELETE, EndReason.CANCELLED),
            {Way.CANCEL: WAITING},
            "is deleted: it was cancelled, and Tekton has not ended it within 2m0s",
        ),
        (
            replace(asked(Asked.CANCEL), cancellation=cancellation_of("jane", NOW, "wrong target")),
            EndRun(Way.DELETE, EndReason.CANCELLED),
            {Way.CANCEL: WAITING},
            "is deleted: it was cancelled by jane: wrong target, and Tekton has not ended it "
            "within 2m0s",
        ),
        (
            RUN,
            EndRun(Way.DELETE, EndReason.EXECUTION_DELETED),
            {Way.CANCEL: REFUSED},
            "is deleted: it could not be cancelled (400: only status updates), and its "
            "WorkflowExecution was deleted",
        ),
        (
            RUN,
            EndRun(Way.DELETE, EndReason.EXECUTION_DELETED),
            {Way.CANCEL: WAITING},
            "is deleted: it could not be cancelled (no answer within 2m0s), and its "
            "WorkflowExecution was deleted",
        ),
    ],
)
def test_what_is_done_and_why(
    run: Run, verdict: EndRun, tried: dict[Way, Tried], expected: str
) -> None:
    assert note_of_end(run, verdict, tried, GRACE) == f"{NAME} {expected}"


@pytest.mark.parametrize(
    ("run", "tried", "expected"),
    [
        (RUN, {}, ""),
        (RUN, {Way.CANCEL: WAITING}, ""),
        (
            asked(Asked.CANCEL_FIRST),
            {Way.CANCEL_FIRST: WAITING},
            "is being cancelled: its finally tasks run, for 2m0s at most",
        ),
        (
            asked(Asked.CANCEL),
            {Way.CANCEL: WAITING},
            "is being cancelled; after 2m0s it is deleted instead",
        ),
        (
            RUN,
            {Way.CANCEL_FIRST: REFUSED},
            "should end, and cannot be cancelled (400: only status updates); it is deleted within "
            "2m0s",
        ),
        (
            RUN,
            {Way.CANCEL: REFUSED, Way.DELETE: replace(REFUSED, refusal="403: no")},
            "should end and works on, so its target stays held: it cannot be deleted (403: no), "
            "and cannot be cancelled (400: only status updates); take away what refuses that: it "
            "is tried again every 2m0s",
        ),
    ],
)
def test_how_far_the_end_of_a_run_is(run: Run, tried: dict[Way, Tried], expected: str) -> None:
    told = describe_ending(run, tried, GRACE)
    assert told == (f"{NAME} {expected}" if expected else "")
