"""When a workflow runs and when it is skipped: one pure function over one snapshot.

``decide`` goes through CHECKS in order; the first that has an answer gives the verdict, and when
none has, the workflow is launched. Called by the reconciler only.
"""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from workflowexecution.api.status import Phase, SkipReason
from workflowexecution.core import names
from workflowexecution.core.deadlines import expires_at
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.snapshot import Snapshot
from workflowexecution.core.verdict import (
    Cancel,
    Evidence,
    Expire,
    Launch,
    Lost,
    Mirror,
    Nothing,
    Refuse,
    Release,
    Skip,
    Stop,
    Verdict,
    Yield,
)

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


def decide(snapshot: Snapshot) -> Verdict:
    """Say what to do for one execution; the same facts always give the same verdict.

    Raises: nothing for any parsed snapshot.
    """
    for check in CHECKS:
        verdict = check(snapshot)
        if verdict is not None:
            return verdict
    return Launch(names.slot_name(snapshot.execution.target, _top_slot(snapshot) + 1))


def _is_being_deleted(snapshot: Snapshot) -> Verdict | None:
    if not snapshot.execution.is_deleting:
        return None
    if not snapshot.execution.has_finalizer:
        return Nothing()
    run = _own_run(snapshot)
    return Cancel(run) if run and not run.is_finished else Release()


def _was_skipped_and_has_a_run(snapshot: Snapshot) -> Verdict | None:
    """A create whose reply was lost may still be carried out when its execution has moved on."""
    run = _own_run(snapshot)
    if snapshot.execution.phase is not Phase.SKIPPED or run is None:
        return None
    return None if run.has_ended or run.is_cancelled else Stop(run)


def _has_ended(snapshot: Snapshot) -> Verdict | None:
    phase = snapshot.execution.phase
    return Nothing() if phase is not None and phase.is_terminal else None


def _has_its_run(snapshot: Snapshot) -> Verdict | None:
    run = _own_run(snapshot)
    return Mirror(run) if run else None


def _is_second_on_the_target(snapshot: Snapshot) -> Verdict | None:
    run = _own_run(snapshot)
    if run is None or run.has_ended or run.is_cancelled:
        return None
    older = [
        other
        for other in _runs(snapshot)
        if not other.has_ended and (other.created_at, other.name) < (run.created_at, run.name)
    ]
    if not older:
        return None
    first = min(older, key=lambda other: (other.created_at, other.name))
    return Yield(run, _holder_of_run(first, snapshot))


def _has_outlasted_its_limit(snapshot: Snapshot) -> Verdict | None:
    run = _own_run(snapshot)
    if run is None or run.has_ended:
        return None
    end = expires_at(run, snapshot.deadline_grace)
    return Expire(run) if end is not None and snapshot.now >= end else None


def _has_lost_its_run(snapshot: Snapshot) -> Verdict | None:
    name = snapshot.execution.run_name
    return Lost(name) if name else None


def _cannot_be_run(snapshot: Snapshot) -> Verdict | None:
    return Refuse(snapshot.problem) if snapshot.problem else None


def _target_is_busy(snapshot: Snapshot) -> Verdict | None:
    holders = [_holder_of_run(run, snapshot) for run in _runs(snapshot) if not run.is_finished]
    holders += [_evidence_of(other) for other in snapshot.others if _is_holding(other, snapshot)]
    if not holders:
        return None
    return Skip(SkipReason.RESOURCE_BUSY, min(holders, key=_start))


def _target_is_cooling_down(snapshot: Snapshot) -> Verdict | None:
    past = [_past_of_run(run, snapshot) for run in _runs(snapshot) if run.is_finished]
    past += [_evidence_of(other) for other in snapshot.others if _has_run_to_its_end(other)]
    same = [entry for entry in past if entry.workflow_id == snapshot.execution.workflow_id]
    if not same:
        return None
    last = max(same, key=_end)
    until = _end(last)[0] + snapshot.cooldown
    return Skip(SkipReason.RECENTLY_REMEDIATED, last, until) if snapshot.now < until else None


CHECKS: Final[tuple[Callable[[Snapshot], Verdict | None], ...]] = (
    _is_being_deleted,
    _was_skipped_and_has_a_run,
    _has_ended,
    _is_second_on_the_target,
    _has_outlasted_its_limit,
    _has_its_run,
    _has_lost_its_run,
    _cannot_be_run,
    _target_is_busy,
    _target_is_cooling_down,
)


def _own_run(snapshot: Snapshot) -> Run | None:
    """The run that carries this execution's UID; names prove nothing."""
    uid = snapshot.execution.uid
    own = [run for run in snapshot.runs if run.owner is not None and run.owner.uid == uid]
    return min(own, key=lambda run: run.slot_number, default=None)


def _runs(snapshot: Snapshot) -> list[Run]:
    """Runs on exactly this target; one that does not name its target may be on it, so it is."""
    return [run for run in snapshot.runs if run.target in (snapshot.execution.target, None)]


def _is_holding(other: Execution, snapshot: Snapshot) -> bool:
    """Whether an execution is Running on a run nobody sees: until that is cleared up, it holds."""
    seen = {run.name for run in snapshot.runs}
    is_on_a_run = other.phase is Phase.RUNNING and other.run_name is not None
    return is_on_a_run and other.run_name not in seen


def _has_run_to_its_end(other: Execution) -> bool:
    """Whether an execution ended after a run was made: its record outlives a deleted run."""
    ended = other.phase in (Phase.COMPLETED, Phase.FAILED) and other.completed_at is not None
    return ended and other.run_name is not None


def _top_slot(snapshot: Snapshot) -> int:
    """Highest slot known for the target, from runs and from what executions remember."""
    remembered = (names.parse_slot(other.run_name or "") for other in snapshot.others)
    numbers = [slot[1] for slot in remembered if slot is not None]
    return max([0, *numbers, *(run.slot_number for run in snapshot.runs)])


def _holder_of_run(run: Run, snapshot: Snapshot) -> Evidence:
    return Evidence(
        name=run.owner.name if run.owner else run.name,
        namespace=run.owner.namespace if run.owner else run.namespace,
        workflow_id=run.workflow_id or "unknown",
        target=snapshot.execution.target,
        run_name=run.name,
        started_at=run.started_at or run.created_at,
    )


def _past_of_run(run: Run, snapshot: Snapshot) -> Evidence:
    return dataclasses.replace(
        _holder_of_run(run, snapshot),
        completed_at=run.completed_at or run.created_at,
        outcome=Phase.COMPLETED if run.succeeded == "True" else Phase.FAILED,
    )


def _evidence_of(other: Execution) -> Evidence:
    return Evidence(
        name=other.name,
        namespace=other.namespace,
        workflow_id=other.workflow_id,
        target=other.target,
        run_name=other.run_name or "",
        started_at=other.started_at,
        completed_at=other.completed_at,
        outcome=other.phase,
    )


def _start(evidence: Evidence) -> tuple[datetime, str, str, str]:
    """Sort key that no two entries share, so that their order never decides."""
    moment = evidence.started_at or _LONG_AGO
    return moment, evidence.run_name, evidence.namespace, evidence.name


def _end(evidence: Evidence) -> tuple[datetime, str, str, str]:
    """Sort key that no two entries share, so that their order never decides."""
    moment = evidence.completed_at or _LONG_AGO
    return moment, evidence.run_name, evidence.namespace, evidence.name
