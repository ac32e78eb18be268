"""The next way to end a run: one pure function over the known facts.

An execution's status only reports; whether its run may go on, and what happens to the pods that
Tekton leaves behind, is decided here, run by run, whoever made the run and whether or not its
execution still exists.

A run that should end is ended in one way after the other: each has its time, and the next one is
taken at once where it is refused for good.
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

# How long after its deadline a pod that is being deleted counts as one Kubernetes cannot end.
_STUCK_AFTER: Final = timedelta(seconds=30)
# Tekton may be in the middle of starting a task when its run is deleted.
_DELETION_SETTLES: Final = timedelta(seconds=5)
_FIRST_CHECK: Final = timedelta(seconds=1)
_RAREST_CHECK: Final = timedelta(seconds=10)
# What Tekton says of a run whose tasks it could not cancel; it then makes deleted pods again.
_COULD_NOT_CANCEL: Final = "PipelineRunCouldntCancel"


class OwnerState(StrEnum):
    """What became of the execution a run was made for.

    FOREIGN: the run is not one of ours, or its execution is none that this operator serves.
    ACTIVE: it exists and this is its run.
    ENDED: it exists and has ended, or has another run.
    DELETED: it does not exist any more, or is being deleted.
    UNKNOWN: it has to be read first.
    """

    FOREIGN = "Foreign"
    ACTIVE = "Active"
    ENDED = "Ended"
    DELETED = "Deleted"
    UNKNOWN = "Unknown"


class EndReason(StrEnum):
    """Why a run of ours is ended. CANCELLED: somebody has asked Tekton to."""

    EXECUTION_DELETED = "ExecutionDeleted"
    EXECUTION_ENDED = "ExecutionEnded"
    SECOND_ON_TARGET = "SecondOnTarget"
    CANCELLED = "Cancelled"


class Way(StrEnum):
    """A way to end a run.

    CANCEL_FIRST: its tasks are cancelled, and its finally tasks run. CANCEL: all are cancelled.
    DELETE: the run is deleted, and with it its tasks.
    """

    CANCEL_FIRST = "CancelFirst"
    CANCEL = "Cancel"
    DELETE = "Delete"


# What Tekton is asked for where that is the way.
ASKED_BY_WAY: Final = {Way.CANCEL_FIRST: Asked.CANCEL_FIRST, Way.CANCEL: Asked.CANCEL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What has come of one way so far.

    ago: since it was first tried, or was seen to have been asked for.
    refused_for: from the first time it was refused to the last, both for a cause that may pass.
    refusal: in the words of who refuses it, empty where nobody does.
    is_final: whether it would be refused again if it were asked for again at once.
    """

    ago: timedelta
    refused_for: timedelta = timedelta(0)
    refusal: str = ""
    is_final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSnapshot:
    """What is known of one run and around it.

    rival: an older run on the same target that has not ended either.
    tried: the ways in which it was tried to end this run while it is active.
    leftovers: as just read; None where they were not.
    checks: how often they were read since the run ended.
    unfinished_for: since it was first seen to have ended.
    cancel_grace: how long each way may take.
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
    """There is nothing to do for it now; look again after some time, or None: when it changes."""

    again_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ReadOwner:
    """Nobody knows what became of its execution: read it."""


@dataclass(frozen=True, slots=True)
class EndRun:
    """Have it end in this way. ``rival``: the run on its target that was there first."""

    way: Way
    reason: EndReason
    rival: Evidence | None = None


@dataclass(frozen=True, slots=True)
class BeginAgain:
    """No way has helped: forget what was refused, and begin with the first way again."""


@dataclass(frozen=True, slots=True)
class ReadLeftovers:
    """It has ended or is gone: read what is left of it."""


@dataclass(frozen=True, slots=True)
class WaitForLeftovers:
    """Something of it may still execute, and is given time to stop."""

    again_after: timedelta


@dataclass(frozen=True, slots=True)
class EndPods:
    """Pods that would otherwise never stop: delete them. ``stuck``: those nobody can end.

    children: custom tasks and runs that are tasks, which do not end themselves either.
    """

    pods: tuple[Pod, ...]
    stuck: tuple[Pod, ...]
    again_after: timedelta
    children: tuple[TaskRun, ...] = ()


@dataclass(frozen=True, slots=True)
class RunHasStopped:
    """Nothing of it executes any more: it no longer holds its target."""


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
    """Say what to do for one run; the same facts always give the same verdict."""
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
    """The ways to end a run that is active, in the order in which they are taken."""
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
    """Take the first way that has not failed; wait where Tekton was asked and has time left."""
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
    """Delete the pods of a run that Tekton should have ended, and that nobody may delete.

    Not of one that Tekton takes for active: it would make them again, from the first step on.
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
    # One without a UID is known by a status alone, and nobody has seen it go.
    was_deleted = run.is_deleting or (run.is_gone and bool(run.uid))
    was_just_deleted = was_deleted and snapshot.unfinished_for < _DELETION_SETTLES
    return was_just_deleted and run.succeeded not in ("True", "False")


def check_interval(checks: int) -> timedelta:
    """How long to wait before leftovers are read again: longer each time, up to a limit."""
    return min(_FIRST_CHECK * 1.3 ** min(checks, 20), _RAREST_CHECK)


def _is_stuck(pod: Pod, now: datetime) -> bool:
    return pod.deadline is not None and now >= pod.deadline + _STUCK_AFTER
