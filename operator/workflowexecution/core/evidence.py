"""The evidence for a skip: the holder of the target, or the last end on it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from workflowexecution.api import identity, reading
from workflowexecution.api.status import Phase
from workflowexecution.core import names
from workflowexecution.core.facts.execution import Execution, Request
from workflowexecution.core.facts.run import Run

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """An execution, known by its run or by its own status.

    name, namespace: of the execution, or of the run where it has no execution.
    run_namespace: None where it is not known.
    started_at: set for a holder. completed_at, outcome: set for an earlier end.
    request: of the execution; None where that is not known.
    """

    name: str
    namespace: str
    workflow_id: str
    target: str
    run_name: str
    run_namespace: str | None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    outcome: Phase | None = None
    request: Request | None = None


def holder_of(run: Run, target: str) -> Evidence:
    """The evidence that a run holds a target."""
    return Evidence(
        name=run.owner.name if run.owner else run.name,
        namespace=run.owner.namespace if run.owner else run.namespace,
        workflow_id=run.workflow_id or "unknown",
        target=run.target or target,
        run_name=run.name,
        run_namespace=run.namespace,
        started_at=run.started_at or run.created_at,
        request=run.owner.request if run.owner else None,
    )


def holder_by_status(execution: Execution) -> Evidence:
    """The evidence that an execution holds its target although its run is not in the cache."""
    return Evidence(
        name=execution.name,
        namespace=execution.namespace,
        workflow_id=execution.workflow_id,
        target=execution.target,
        run_name=execution.run_name or "",
        run_namespace=execution.run_namespace,
        started_at=execution.started_at,
        request=execution.request,
    )


def end_of_run(run: Run, seen_at: datetime) -> Evidence | None:
    """The evidence of an end, from a run; None where the run names no workflow.

    Args:
        run: a finished run.
        seen_at: aware UTC.
    """
    if run.workflow_id is None:
        return None
    return Evidence(
        name=run.owner.name if run.owner else run.name,
        namespace=run.owner.namespace if run.owner else run.namespace,
        workflow_id=run.workflow_id,
        target=run.target or "",
        run_name=run.name,
        run_namespace=run.namespace,
        completed_at=run.ended_at(seen_at),
        outcome=Phase.COMPLETED if run.succeeded == "True" else Phase.FAILED,
        request=run.owner.request if run.owner else None,
    )


def end_of_execution(execution: Execution, seen_at: datetime) -> Evidence | None:
    """The evidence of an end, from an execution, which can outlive its run.

    None where no run was made, as for an execution that was refused or skipped.
    """
    return None if execution.run_name is None else end_of_attempt(execution, seen_at)


def end_of_attempt(execution: Execution, seen_at: datetime) -> Evidence | None:
    """The same, including an attempt that failed before a run was made; run_name is then empty."""
    ended = execution.phase in (Phase.COMPLETED, Phase.FAILED)
    if not ended or execution.completed_at is None:
        return None
    return Evidence(
        name=execution.name,
        namespace=execution.namespace,
        workflow_id=execution.workflow_id,
        target=execution.target,
        run_name=execution.run_name or "",
        run_namespace=execution.run_namespace,
        completed_at=min(execution.completed_at, seen_at),
        outcome=execution.phase,
        request=execution.request,
    )


def is_cleared(raw: reading.Raw) -> bool:
    """Whether a person has noted on an execution or a run that its failure has been looked at."""
    annotations = reading.mapping(raw, "metadata", "annotations")
    return bool(reading.text(annotations, identity.CLEAR_ANNOTATION).strip())


def is_same(one: Evidence, other: Evidence) -> bool:
    """Whether two ends are of one execution, one from its status and one from its run."""
    return _identity(one) == _identity(other)


def is_lifted(end: Evidence, clear: Evidence) -> bool:
    """Whether an end starts no cooldown, because a person has cleared a failure.

    That clears this failure and all failures before it, of the same workflow on the same target.
    Times have whole seconds: another failure in the same second may be the later one, and stays.

    Args:
        end: of a run; a success is never cleared.
        clear: the failure that was cleared.
    """
    if end.outcome is not Phase.FAILED or end.workflow_id != clear.workflow_id:
        return False
    targets = (end.target, clear.target)
    is_on_it = "" in targets or names.is_same_target(*targets)
    is_before = (end.completed_at or _LONG_AGO) < (clear.completed_at or _LONG_AGO)
    return is_on_it and (is_before or is_same(end, clear))


def _identity(end: Evidence) -> tuple[str, str, str]:
    return end.run_name, end.namespace, end.name


def start_order(evidence: Evidence) -> tuple[datetime, str, str, str]:
    """Sort key that is unique, so that the order of the input never matters."""
    return (
        evidence.started_at or _LONG_AGO,
        evidence.run_name,
        evidence.namespace,
        evidence.name,
    )


def end_order(evidence: Evidence) -> tuple[datetime, str, str, str]:
    """Sort key that is unique, so that the order of the input never matters."""
    return (
        evidence.completed_at or _LONG_AGO,
        evidence.run_name,
        evidence.namespace,
        evidence.name,
    )
