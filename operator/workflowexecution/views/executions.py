"""Executions in a list: which of them, in which order, and what of each is shown."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflowexecution.api import reading
from workflowexecution.api.duration import parse_duration
from workflowexecution.api.status import Phase
from workflowexecution.core.facts.execution import Execution


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which executions are asked for; empty or None asks for all.

    created_since: aware UTC.
    """

    target: str = ""
    workflow_id: str = ""
    phases: Collection[Phase] = ()
    created_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An execution as a list shows it.

    reason: of its skip, failure or wait; empty while there is nothing to say.
    duration: from its start to its end, or to now; None where nothing was started.
    blocker: namespace and name of the execution because of which it was skipped.
    """

    execution: Execution
    phase: str
    reason: str
    duration: timedelta | None
    age: timedelta
    blocker: str


def rows_of(executions: Iterable[Execution], wanted: Wanted, now: datetime) -> list[Row]:
    """The executions that are asked for, newest first."""
    found = [item for item in executions if _is_wanted(item, wanted)]
    found.sort(key=lambda item: (_created_at(item), item.namespace, item.name), reverse=True)
    return [_row(item, now) for item in found]


def _is_wanted(execution: Execution, wanted: Wanted) -> bool:
    return (
        wanted.target in ("", execution.target)
        and wanted.workflow_id in ("", execution.workflow_id)
        and (not wanted.phases or execution.phase in wanted.phases)
        and (wanted.created_since is None or _created_at(execution) >= wanted.created_since)
    )


def _row(execution: Execution, now: datetime) -> Row:
    return Row(
        execution=execution,
        phase=execution.phase or "",
        reason=reason_of(execution),
        duration=duration_of(execution, now),
        age=now - _created_at(execution),
        blocker=blocker_of(execution),
    )


def _created_at(execution: Execution) -> datetime:
    meta = reading.mapping(execution.raw, "metadata")
    return datetime.fromisoformat(reading.text(meta, "creationTimestamp"))


def reason_of(execution: Execution) -> str:
    """The reason its status gives for its phase; empty where it gives none."""
    status = reading.mapping(execution.raw, "status")
    conditions = reading.mappings(status, "conditions")
    found = next((item for item in conditions if item.get("type") == "Succeeded"), {})
    return reading.text(found, "reason")


def duration_of(execution: Execution, now: datetime) -> timedelta | None:
    """How long it took, or has run by now; None where nothing was started."""
    said = reading.text(reading.mapping(execution.raw, "status"), "duration")
    try:
        return parse_duration(said)
    except ValueError:
        is_running = execution.phase is Phase.RUNNING and execution.started_at is not None
        return now - execution.started_at if is_running and execution.started_at else None


def blocker_of(execution: Execution) -> str:
    """namespace/name of the execution because of which it was skipped; empty where it was not."""
    details = reading.mapping(reading.mapping(execution.raw, "status"), "skipDetails")
    blocker = reading.mapping(details, "conflictingWorkflow") or reading.mapping(
        details, "recentRemediation"
    )
    parts = (reading.text(blocker, "namespace"), reading.text(blocker, "name"))
    return "/".join(part for part in parts if part)
