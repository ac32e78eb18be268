"""Lists and statistics of executions: filter, order, and the fields that are shown."""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from workflowexecution.api import reading
from workflowexecution.api.reading import parse_duration
from workflowexecution.api.status import Phase
from workflowexecution.core.diagnosis.explanations import is_cancelled
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.names import is_on_target

CANCELLED: Final = "Cancelled"
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A filter of executions; a field that is empty or None matches all.

    created_since: aware UTC.
    """

    target: str = ""
    workflow_id: str = ""
    phases: Collection[Phase] = ()
    created_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a list: one execution.

    reason: of its skip, failure or wait; empty where there is none.
    duration: from its start to its end, or to now; None where it was not started.
    blocker: namespace/name of the execution that caused its skip.
    """

    execution: Execution
    phase: str
    reason: str
    duration: timedelta | None
    age: timedelta
    blocker: str


def rows_of(executions: Iterable[Execution], wanted: Wanted, now: datetime) -> list[Row]:
    """The executions that match, newest first."""
    found = [item for item in executions if _is_wanted(item, wanted)]
    found.sort(key=lambda item: (_created_at(item), item.namespace, item.name), reverse=True)
    return [_row(item, now) for item in found]


def _is_wanted(execution: Execution, wanted: Wanted) -> bool:
    return (
        is_on_target(execution.target, wanted.target)
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
    """The reason in its condition Succeeded; empty where there is none.

    For people, one that a person has cancelled is Cancelled; the API has no such reason.
    """
    found = reading.item(execution.raw, "status", "conditions", type="Succeeded")
    return CANCELLED if was_cancelled(execution) else reading.text(found, "reason")


def was_cancelled(execution: Execution) -> bool:
    """Whether its status reports that a person cancelled it with ``kubectl wfe cancel``."""
    details = reading.mapping(execution.raw, "status", "failureDetails")
    reason, summary = reading.texts(details, ("reason",), ("naturalLanguageSummary",))
    return is_cancelled(reason, summary)


def duration_of(execution: Execution, now: datetime) -> timedelta | None:
    """The time that it took, or has run until now; None where it was not started."""
    said = reading.text(execution.raw, "status", "duration")
    try:
        return parse_duration(said)
    except ValueError:
        is_running = execution.phase is Phase.RUNNING and execution.started_at is not None
        return now - execution.started_at if is_running and execution.started_at else None


def blocker_of(execution: Execution) -> str:
    """namespace/name of the execution that caused its skip; empty where there is none."""
    details = reading.mapping(execution.raw, "status", "skipDetails")
    blocker = reading.mapping(details, "conflictingWorkflow") or reading.mapping(
        details, "recentRemediation"
    )
    parts = (reading.text(blocker, "namespace"), reading.text(blocker, "name"))
    return "/".join(part for part in parts if part)


class By(StrEnum):
    """The field that executions are grouped by."""

    WORKFLOW = "workflow"
    TARGET = "target"
    NAMESPACE = "namespace"


_KEYS: Final[Mapping[By, Callable[[Execution], str]]] = {
    By.WORKFLOW: lambda item: item.workflow_id,
    By.TARGET: lambda item: item.target,
    By.NAMESPACE: lambda item: item.namespace,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Statistics of the executions of one group in one period.

    active: those that have not ended, also if they were created before the period.
    launched, completed, failed, skipped: within the period.
    per_hour: launches.
    median, p90, longest: of runs that ended within the period; None where none did.
    """

    name: str
    active: int
    launched: int
    per_hour: float
    completed: int
    failed: int
    skipped: int
    median: timedelta | None
    p90: timedelta | None
    longest: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Statistics of one period.

    skips, failures: the number for each reason, the most frequent first.
    """

    since: datetime
    until: datetime
    total: Group
    groups: Sequence[Group]
    skips: Mapping[str, int]
    failures: Mapping[str, int]


def activity_of(
    executions: Iterable[Execution], by: By, period: timedelta, now: datetime
) -> Activity:
    """Compute the statistics of executions.

    Args:
        executions: in any order.
        by: the field that they are grouped by.
        period: the length of the period, which ends now; more than 0.
        now: aware UTC.
    """
    known, since = list(executions), now - period
    groups: dict[str, list[Execution]] = {}
    for item in known:
        groups.setdefault(_KEYS[by](item), []).append(item)
    summed = [_group(name, items, since, now) for name, items in groups.items()]
    summed = [item for item in summed if item.active or item.launched or _ended(item)]
    summed.sort(key=lambda item: (-item.launched, -item.skipped, -item.active, item.name))
    lately = [item for item in known if _is_since(item.completed_at, since)]
    return Activity(
        since=since,
        until=now,
        total=_group("all", known, since, now),
        groups=summed,
        skips=_count(lately, Phase.SKIPPED, "skipDetails"),
        failures=_count(lately, Phase.FAILED, "failureDetails"),
    )


def _ended(group: Group) -> int:
    return group.completed + group.failed + group.skipped


def _group(name: str, items: Sequence[Execution], since: datetime, now: datetime) -> Group:
    ended = [item for item in items if _is_since(item.completed_at, since)]
    phases = Counter(item.phase for item in ended)
    launched = sum(_is_since(item.started_at, since) for item in items)
    lasted = sorted(
        length for item in ended if item.run_name and (length := duration_of(item, now)) is not None
    )
    return Group(
        name=name,
        active=sum(not item.has_ended for item in items),
        launched=launched,
        per_hour=round(launched / ((now - since) / _HOUR), 1),
        completed=phases[Phase.COMPLETED],
        failed=phases[Phase.FAILED],
        skipped=phases[Phase.SKIPPED],
        median=_quantile(lasted, 0.5),
        p90=_quantile(lasted, 0.9),
        longest=_quantile(lasted, 1.0),
    )


def _is_since(moment: datetime | None, since: datetime) -> bool:
    return moment is not None and moment >= since


def _quantile(lengths: Sequence[timedelta], share: float) -> timedelta | None:
    """The smallest of the sorted lengths that this share of them does not exceed."""
    return lengths[math.ceil(share * len(lengths)) - 1] if lengths else None


def _count(ended: Iterable[Execution], phase: Phase, details: str) -> Mapping[str, int]:
    reasons = [
        CANCELLED
        if was_cancelled(item)
        else reading.text(item.raw, "status", details, "reason") or "unknown"
        for item in ended
        if item.phase is phase
    ]
    return dict(Counter(reasons).most_common())
