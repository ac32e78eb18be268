"""How a run is brought to its end: one pure function over what is known of it.

An execution's status only reports; whether its run may go on, and what happens to the pods that
Tekton leaves behind, is decided here, run by run, whoever made the run and whether or not its
execution still exists.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, assert_never

from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.leftovers import Leftovers, Pod
from workflowexecution.core.facts.run import Run, RunState
from workflowexecution.core.facts.taskrun import TaskRun

# How long after its deadline a pod that is being deleted counts as one Kubernetes cannot end.
_STUCK_AFTER: Final = timedelta(seconds=30)
# Tekton may be in the middle of starting a task when its run is deleted.
_DELETION_SETTLES: Final = timedelta(seconds=5)
_FIRST_CHECK: Final = timedelta(seconds=1)
_RAREST_CHECK: Final = timedelta(seconds=10)


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


class CancelReason(StrEnum):
    """Why a run of ours is cancelled."""

    EXECUTION_DELETED = "ExecutionDeleted"
    EXECUTION_ENDED = "ExecutionEnded"
    SECOND_ON_TARGET = "SecondOnTarget"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSnapshot:
    """What is known of one run and around it.

    rival: an older run on the same target that has not ended either.
    leftovers: as just read; None where they were not.
    checks: how often they were read since the run ended.
    unfinished_for: since it was first seen to have ended, or to have been cancelled.
    now: aware UTC, by the API server's clock.
    """

    run: Run
    owner: OwnerState
    rival: Evidence | None
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
class CancelRun:
    """Ask Tekton to end it."""

    reason: CancelReason
    rival: Evidence | None = None


@dataclass(frozen=True, slots=True)
class DeleteRun:
    """Tekton does not end a run that was cancelled: delete it, and with it its tasks."""


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
    | CancelRun
    | DeleteRun
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


def _decide_active(snapshot: RunSnapshot) -> RunVerdict:
    run = snapshot.run
    if snapshot.owner is OwnerState.FOREIGN:
        return LeaveRun()
    if run.is_cancelled:
        left = snapshot.cancel_grace - snapshot.unfinished_for
        return LeaveRun(left) if left > timedelta(0) else DeleteRun()
    if snapshot.rival is not None:
        return CancelRun(CancelReason.SECOND_ON_TARGET, snapshot.rival)
    match snapshot.owner:
        case OwnerState.UNKNOWN:
            return ReadOwner()
        case OwnerState.DELETED:
            return CancelRun(CancelReason.EXECUTION_DELETED)
        case OwnerState.ENDED:
            return CancelRun(CancelReason.EXECUTION_ENDED)
        case OwnerState.ACTIVE:
            return LeaveRun()
        case _:
            assert_never(snapshot.owner)


def _decide_stopping(snapshot: RunSnapshot) -> RunVerdict:
    if snapshot.leftovers is None:
        return ReadLeftovers()
    if not snapshot.leftovers.is_active:
        return WaitForLeftovers(_FIRST_CHECK) if _may_still_start(snapshot) else RunHasStopped()
    left = snapshot.leftover_grace - snapshot.unfinished_for
    if left > timedelta(0):
        return WaitForLeftovers(min(check_interval(snapshot.checks), left))
    pods = snapshot.leftovers.active_pods
    return EndPods(
        pods=tuple(pod for pod in pods if pod.deadline is None),
        stuck=tuple(pod for pod in pods if _is_stuck(pod, snapshot.now)),
        again_after=check_interval(snapshot.checks),
        children=snapshot.leftovers.endable_children,
    )


def _may_still_start(snapshot: RunSnapshot) -> bool:
    run = snapshot.run
    was_just_deleted = run.is_deleting and snapshot.unfinished_for < _DELETION_SETTLES
    return was_just_deleted and run.succeeded not in ("True", "False") and not run.is_gone


def check_interval(checks: int) -> timedelta:
    """How long to wait before leftovers are read again: longer each time, up to a limit."""
    return min(_FIRST_CHECK * 1.3 ** min(checks, 20), _RAREST_CHECK)


def _is_stuck(pod: Pod, now: datetime) -> bool:
    return pod.deadline is not None and now >= pod.deadline + _STUCK_AFTER
