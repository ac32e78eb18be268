"""The decision to run or skip a workflow: one pure function over one snapshot.

``decide`` goes through CHECKS in order. The first check with an answer gives the verdict; without
any, the workflow is launched.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api.spec import WorkflowExecutionSpec
from workflowexecution.api.status import SkipReason
from workflowexecution.core import evidence, names
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import Hold, hold_on
from workflowexecution.core.facts.run import Run, RunState
from workflowexecution.core.guards import Ending, Guards, pause_end, reason_to_clear
from workflowexecution.core.verdict import (
    DropOldFinalizer,
    FindRun,
    GiveUp,
    Launch,
    Nothing,
    Refuse,
    ReportLostRun,
    ReportRun,
    Skip,
    Verdict,
    Wait,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All facts for one decision: an execution and its target, without finished history.

    runs: every run on this target that is not finished, and this execution's own runs, in any
        order.
    unseen: other executions on this target that name a run not in the cache, in any order.
    ends: the newest end of each workflow on this target, at least of those within the cooldown.
    ending: the last end of its workflow on its target, with or without a run; None where no guard
        is on.
    top_number: the highest number of a run on this target; 0 where there was none.
    spec: as much of it as was kept and can be read; None where it is not needed.
    problem: the problem with the spec, for people; empty where it can be run.
    cooldown: at least 0; zero turns the check off.
    deadline_grace: time after its time limit until a run that Tekton does not end is given up.
    guards: the settings of the guards.
    holds: all holds, including those that have expired or concern others, in any order.
    now: aware UTC, by the API server's clock.
    """

    execution: Execution
    runs: Sequence[Run]
    unseen: Sequence[Execution]
    ends: Sequence[Evidence]
    top_number: int
    problem: str
    cooldown: timedelta
    deadline_grace: timedelta
    ending: Ending | None
    guards: Guards
    holds: Sequence[Hold]
    now: datetime
    spec: WorkflowExecutionSpec | None = None


def decide(snapshot: Snapshot) -> Verdict:
    """Decide what to do for one execution; the same facts always give the same verdict.

    Raises: nothing for any parsed snapshot.
    """
    for check in CHECKS:
        verdict = check(snapshot)
        if verdict is not None:
            return verdict
    name = names.run_name(snapshot.execution.target, snapshot.top_number + 1)
    return Launch(name, snapshot.spec)


def _has_an_old_finalizer(snapshot: Snapshot) -> Verdict | None:
    return DropOldFinalizer() if snapshot.execution.has_old_finalizer else None


def _has_ended(snapshot: Snapshot) -> Verdict | None:
    return Nothing() if snapshot.execution.has_ended else None


def _has_outlasted_its_time_limit(snapshot: Snapshot) -> Verdict | None:
    run = own_run(snapshot)
    if run is None or run.state is not RunState.ACTIVE:
        return None
    end = run.given_up_at(snapshot.deadline_grace)
    return GiveUp(run) if end is not None and snapshot.now >= end else None


def _has_lost_its_run(snapshot: Snapshot) -> Verdict | None:
    run = own_run(snapshot)
    return ReportLostRun(run) if run is not None and run.is_lost else None


def _has_its_run(snapshot: Snapshot) -> Verdict | None:
    run = own_run(snapshot)
    return ReportRun(run) if run else None


def _has_a_run_nobody_has_seen(snapshot: Snapshot) -> Verdict | None:
    execution = snapshot.execution
    return FindRun(execution.run_name, execution.run_namespace) if execution.run_name else None


def _is_being_deleted(snapshot: Snapshot) -> Verdict | None:
    return Nothing() if snapshot.execution.is_deleting else None


def _cannot_be_run(snapshot: Snapshot) -> Verdict | None:
    return Refuse(snapshot.problem) if snapshot.problem else None


def _target_is_busy(snapshot: Snapshot) -> Verdict | None:
    target = snapshot.execution.target
    unfinished = [run for run in _runs(snapshot) if run.state is not RunState.FINISHED]
    holders = [evidence.holder_of(run, target) for run in unfinished]
    holders += [evidence.holder_by_status(other) for other in snapshot.unseen]
    if not holders:
        return None
    return Skip(SkipReason.RESOURCE_BUSY, min(holders, key=evidence.start_order))


def _failed_at_work_before(snapshot: Snapshot) -> Verdict | None:
    return _failure_to_clear(snapshot, SkipReason.PREVIOUS_EXECUTION_FAILED)


def _has_no_retries_left(snapshot: Snapshot) -> Verdict | None:
    return _failure_to_clear(snapshot, SkipReason.EXHAUSTED_RETRIES)


def _target_is_cooling_down(snapshot: Snapshot) -> Verdict | None:
    waits = [wait for wait in (_cooldown(snapshot), _pause(snapshot)) if wait]
    skip = max(waits, key=_end_of, default=None)
    return skip if skip is not None and snapshot.now < _end_of(skip) else None


def _is_held(snapshot: Snapshot) -> Verdict | None:
    hold = hold_on(snapshot.holds, snapshot.execution, snapshot.now)
    return Wait(hold) if hold else None


CHECKS: Final[tuple[Callable[[Snapshot], Verdict | None], ...]] = (
    _has_an_old_finalizer,
    _has_ended,
    _has_outlasted_its_time_limit,
    _has_lost_its_run,
    _has_its_run,
    _has_a_run_nobody_has_seen,
    _is_being_deleted,
    _cannot_be_run,
    _target_is_busy,
    _failed_at_work_before,
    _has_no_retries_left,
    _target_is_cooling_down,
    _is_held,
)


def own_run(snapshot: Snapshot) -> Run | None:
    """The run that carries this execution's UID; a name alone proves nothing.

    Of several runs it is the one that the status names, else the one with the lowest number. If
    the status names a run in another namespace, that one was first.
    """
    execution = snapshot.execution
    own = [
        run
        for run in snapshot.runs
        if run.owner
        and run.owner.uid == execution.uid
        and execution.run_namespace in (None, run.namespace)
    ]
    return min(own, key=lambda run: (run.name != execution.run_name, run.run_number), default=None)


def _failure_to_clear(snapshot: Snapshot, reason: SkipReason) -> Verdict | None:
    last = snapshot.ending
    if last is None or reason_to_clear(last, snapshot.guards) is not reason:
        return None
    return Skip(reason, last.evidence, failures=last.failures)


def _cooldown(snapshot: Snapshot) -> Skip | None:
    """The cooldown of a workflow on a target after a run, with its end, which may be over."""
    workflow_id = snapshot.execution.workflow_id
    ends = [end for end in snapshot.ends if end.workflow_id == workflow_id]
    last = max(ends, key=evidence.end_order, default=None)
    if last is None or last.completed_at is None:
        return None
    return Skip(SkipReason.RECENTLY_REMEDIATED, last, last.completed_at + snapshot.cooldown)


def _pause(snapshot: Snapshot) -> Skip | None:
    """The same after a failure before the first step, if such failures are counted."""
    last = snapshot.ending
    until = pause_end(last, snapshot.guards) if last else None
    if last is None or until is None:
        return None
    return Skip(SkipReason.RECENTLY_REMEDIATED, last.evidence, until, last.failures)


def _end_of(skip: Skip) -> datetime:
    assert skip.until is not None
    return skip.until


def _runs(snapshot: Snapshot) -> list[Run]:
    """Runs on this target; a run that names no target counts as being on it."""
    target = snapshot.execution.target
    return [
        run
        for run in snapshot.runs
        if run.target in (target, None) or names.is_same_target(run.target, target)
    ]
