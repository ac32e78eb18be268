"""The decision on the next way to end a run: one pure function over the known facts.

The status of an execution is only a report. For each run, this module decides whether it may go on
and what happens to pods that Tekton leaves behind. It does not matter who made the run, or whether
its execution still exists.

The ways to end a run are tried one after the other. Each has a time limit, and a final refusal
leads to the next way at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, assert_never

from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.leftovers import Leftovers
from workflowexecution.core.facts.pod import Pod
from workflowexecution.core.facts.run import Asked, Run, RunState
from workflowexecution.core.facts.taskrun import TaskRun

# Time after its deadline at which a deleted pod counts as one that Kubernetes cannot end.
_STUCK_AFTER: Final = timedelta(seconds=30)
# Tekton may be starting a task at the moment when its run is deleted.
_DELETION_SETTLES: Final = timedelta(seconds=5)
_FIRST_CHECK: Final = timedelta(seconds=1)
_RAREST_CHECK: Final = timedelta(seconds=10)
# Tekton's reason for a run whose tasks it could not cancel; it then creates deleted pods again.
_COULD_NOT_CANCEL: Final = "PipelineRunCouldntCancel"


class OwnerState(StrEnum):
    """The state of the execution that a run was made for.

    FOREIGN: the run has no execution, or one that this operator does not serve.
    ACTIVE: it exists and this is its run.
    ENDED: it exists and has ended, or has another run.
    DELETED: it no longer exists, or is being deleted.
    UNKNOWN: it has to be read first.
    """

    FOREIGN = "Foreign"
    ACTIVE = "Active"
    ENDED = "Ended"
    DELETED = "Deleted"
    UNKNOWN = "Unknown"


class EndReason(StrEnum):
    """The reason to end a run of ours. CANCELLED: a user has asked Tekton to end it."""

    EXECUTION_DELETED = "ExecutionDeleted"
    EXECUTION_ENDED = "ExecutionEnded"
    SECOND_ON_TARGET = "SecondOnTarget"
    CANCELLED = "Cancelled"


class Way(StrEnum):
    """A way to end a run.

    CANCEL_FIRST: its tasks are cancelled, and its finally tasks run. CANCEL: all are cancelled.
    DELETE: the run is deleted, and its tasks with it.
    """

    CANCEL_FIRST = "CancelFirst"
    CANCEL = "Cancel"
    DELETE = "Delete"


# The request to Tekton for each way that has one.
ASKED_BY_WAY: Final = {Way.CANCEL_FIRST: Asked.CANCEL_FIRST, Way.CANCEL: Asked.CANCEL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """The result so far of one way.

    ago: time since the first try, or since the request was first seen.
    refused_for: time from the first to the last refusal, both for a temporary cause.
    refusal: the text of the refusal; empty where there is none.
    is_final: whether the same request would be refused again at once.
    """

    ago: timedelta
    refused_for: timedelta = timedelta(0)
    refusal: str = ""
    is_final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSnapshot:
    """All facts for one decision on a run.

    rival: an older run on the same target that has not ended either.
    tried: the results of the ways tried to end this run while it is active.
    leftovers: as just read; None where they were not read.
    checks: number of reads of the leftovers since the run ended.
    unfinished_for: time since the run was first seen to have ended.
    cancel_grace: time limit of each way.
    now: aware UTC, by the API server's clock.
    """

    run: Run
    owner: OwnerState
    rival: Evidence | None
    tried: Mapping[Way, Tried]
    leftovers: Leftovers | None
    checks: int
    unfinished_for: timedelta
    cancel_grace: timedelta
    leftover_grace: timedelta
    now: datetime


@dataclass(frozen=True, slots=True)
class LeaveRun:
    """Nothing to do now; the next pass is due after this time, or, for None, at the next change."""

    again_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ReadOwner:
    """The state of its execution is not known: read it."""


@dataclass(frozen=True, slots=True)
class EndRun:
    """End it in this way. ``rival``: the older run on its target."""

    way: Way
    reason: EndReason
    rival: Evidence | None = None


@dataclass(frozen=True, slots=True)
class BeginAgain:
    """All ways have failed: forget the refusals, and begin again with the first way."""


@dataclass(frozen=True, slots=True)
class ReadLeftovers:
    """It has ended or is deleted: read its leftovers."""


@dataclass(frozen=True, slots=True)
class WaitForLeftovers:
    """Parts of it may still execute, and get time to stop."""

    again_after: timedelta


@dataclass(frozen=True, slots=True)
class EndPods:
    """Delete pods that would otherwise never stop. ``stuck``: pods that cannot be ended.

    children: custom tasks, and runs that are tasks, which do not end by themselves either.
    """

    pods: tuple[Pod, ...]
    stuck: tuple[Pod, ...]
    again_after: timedelta
    children: tuple[TaskRun, ...] = ()


@dataclass(frozen=True, slots=True)
class RunHasStopped:
    """No part of it executes any more: it no longer holds its target."""


RunVerdict = (
    LeaveRun
    | ReadOwner
    | EndRun
    | BeginAgain
    | ReadLeftovers
    | WaitForLeftovers
    | EndPods
    | RunHasStopped
)


def decide_run(snapshot: RunSnapshot) -> RunVerdict:
    """Decide what to do for one run; the same facts always give the same verdict."""
    match snapshot.run.state:
        case RunState.FINISHED:
            return LeaveRun()
        case RunState.STOPPING:
            return _decide_stopping(snapshot)
        case RunState.ACTIVE:
            return _decide_active(snapshot)
        case _:
            assert_never(snapshot.run.state)


def ways_to_end(run: Run) -> tuple[Way, ...]:
    """The ways to end an active run, in the order in which they are tried."""
    if run.asked is Asked.CANCEL:
        return Way.CANCEL, Way.DELETE
    if run.has_finally or run.asked is Asked.CANCEL_FIRST:
        return Way.CANCEL_FIRST, Way.CANCEL, Way.DELETE
    return Way.CANCEL, Way.DELETE


def _decide_active(snapshot: RunSnapshot) -> RunVerdict:
    if snapshot.owner is OwnerState.FOREIGN:
        return LeaveRun()
    if snapshot.run.is_cancelled:
        return _end(snapshot, EndReason.CANCELLED)
    if snapshot.rival is not None:
        return _end(snapshot, EndReason.SECOND_ON_TARGET)
    match snapshot.owner:
        case OwnerState.UNKNOWN:
            return ReadOwner()
        case OwnerState.DELETED:
            return _end(snapshot, EndReason.EXECUTION_DELETED)
        case OwnerState.ENDED:
            return _end(snapshot, EndReason.EXECUTION_ENDED)
        case OwnerState.ACTIVE:
            return LeaveRun()
        case _:
            assert_never(snapshot.owner)


def _end(snapshot: RunSnapshot, reason: EndReason) -> RunVerdict:
    """Take the first way that has not failed; wait while a request to Tekton has time left."""
    run, grace = snapshot.run, snapshot.cancel_grace
    for way in ways_to_end(run):
        tried = snapshot.tried.get(way)
        if tried is not None and ASKED_BY_WAY.get(way) is run.asked:
            if tried.ago < grace:
                return LeaveRun(grace - tried.ago)
        elif tried is None or not (tried.is_final or tried.refused_for >= grace):
            is_second = reason is EndReason.SECOND_ON_TARGET
            return EndRun(way, reason, snapshot.rival if is_second else None)
    left = grace - snapshot.tried[Way.DELETE].ago
    if left <= timedelta(0):
        return BeginAgain()
    return _end_pods_of_cancelled(snapshot, left) or LeaveRun(left)


def _end_pods_of_cancelled(snapshot: RunSnapshot, left: timedelta) -> RunVerdict | None:
    """Delete the pods of a run that Tekton should have ended, where the run cannot be deleted.

    Not the pods of a run that Tekton treats as active: Tekton would create them again, and they
    would begin with the first step.
    """
    if snapshot.run.asked is not Asked.CANCEL or snapshot.run.reason == _COULD_NOT_CANCEL:
        return None
    if snapshot.leftovers is None:
        return ReadLeftovers()
    return _end_pods(snapshot, snapshot.leftovers, left)


def _decide_stopping(snapshot: RunSnapshot) -> RunVerdict:
    if snapshot.leftovers is None:
        return ReadLeftovers()
    if not snapshot.leftovers.is_active:
        return WaitForLeftovers(_FIRST_CHECK) if _may_still_start(snapshot) else RunHasStopped()
    left = snapshot.leftover_grace - snapshot.unfinished_for
    if left > timedelta(0):
        return WaitForLeftovers(min(check_interval(snapshot.checks), left))
    return _end_pods(snapshot, snapshot.leftovers, _RAREST_CHECK)


def _end_pods(snapshot: RunSnapshot, leftovers: Leftovers, at_most: timedelta) -> EndPods:
    pods = leftovers.active_pods
    return EndPods(
        pods=tuple(pod for pod in pods if pod.deadline is None),
        stuck=tuple(pod for pod in pods if _is_stuck(pod, snapshot.now)),
        again_after=min(check_interval(snapshot.checks), at_most),
        children=leftovers.endable_children,
    )


def _may_still_start(snapshot: RunSnapshot) -> bool:
    run = snapshot.run
    # Without a UID it is known only by a status, and its deletion was not seen.
    was_deleted = run.is_deleting or (run.is_gone and bool(run.uid))
    was_just_deleted = was_deleted and snapshot.unfinished_for < _DELETION_SETTLES
    return was_just_deleted and run.succeeded not in ("True", "False")


def check_interval(checks: int) -> timedelta:
    """Time until the leftovers are read again: longer each time, up to a limit."""
    return min(_FIRST_CHECK * 1.3 ** min(checks, 20), _RAREST_CHECK)


def _is_stuck(pod: Pod, now: datetime) -> bool:
    return pod.deadline is not None and now >= pod.deadline + _STUCK_AFTER
