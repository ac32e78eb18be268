"""The first page, as one visitor may see it: locks, cooldowns, holds and recent executions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Generic, TypeVar

from workflowexecution.api.inputs import parse_target
from workflowexecution.api.status import Phase
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.leftovers import Leftovers
from workflowexecution.core.facts.run import Run, RunKey, RunState
from workflowexecution.core.names import is_on_target
from workflowexecution.page.gate import Sight
from workflowexecution.views.blockers import Cooldown, HeldBy, Lock, locks_of
from workflowexecution.views.executions import Row, Wanted, rows_of

T = TypeVar("T")
ROWS: Final = 50
_LOCKS: Final = 100
OnTarget = TypeVar("OnTarget", Lock, Cooldown)
_FIELDS: Final = ("namespace", "target", "workflow", "phase")
_MOST_PAGES: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The facts of one operator at one moment.

    active, runs: as in its cache.
    cooldowns: all of them, ordered by their end.
    recent: the newest executions in namespaces that the visitor sees.
    leftovers: what still executes, by run; without the runs that could not be read.
    """

    active: Sequence[Execution] = ()
    runs: Sequence[Run] = ()
    cooldowns: Sequence[Cooldown] = ()
    recent: Sequence[Execution] = ()
    leftovers: Mapping[RunKey, Leftovers] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Some(Generic[T]):
    """The first of many."""

    items: Sequence[T]
    total: int

    @property
    def more(self) -> int:
        """The number of those that are left out."""
        return self.total - len(self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The content of the first page.

    number: the number of the shown part of the rows, from 1.
    summary: one sentence for screen readers.
    """

    locks: Some[Lock]
    cooldowns: Some[Cooldown]
    rows: Some[Row]
    number: int
    has_next: bool
    summary: str
    now: datetime


def overview_of(known: Known, sight: Sight, wanted: Wanted, number: int, now: datetime) -> Overview:
    """Select and order the rows that a visitor sees.

    Args:
        known: at `now`.
        sight: the namespaces that the visitor sees; nothing else is shown.
        wanted: a filter of executions; its target and workflow filter all three tables.
        number: the number of the shown part of the executions, from 1.
        now: aware UTC.
    """
    locks = _narrowed(_locks(known, sight), wanted)
    seen = (item for item in known.cooldowns if sight.sees(item.execution.partition("/")[0]))
    cooldowns = _narrowed(seen, wanted)
    rows = rows_of((item for item in known.recent if sight.sees(item.namespace)), wanted, now)
    first = (number - 1) * ROWS
    return Overview(
        locks=Some(locks[:_LOCKS], len(locks)),
        cooldowns=Some(cooldowns[:_LOCKS], len(cooldowns)),
        rows=Some(rows[first : first + ROWS], len(rows)),
        number=number,
        has_next=first + ROWS < len(rows),
        summary=_summary(len(locks), len(cooldowns), rows),
        now=now,
    )


def _locks(known: Known, sight: Sight) -> list[Lock]:
    runs = [_settled(run, known.leftovers.get(run.key)) for run in known.runs]
    return locks_of(
        tuple(item for item in known.active if sight.sees(item.namespace)),
        tuple(run for run in runs if sight.sees_run(run)),
        known.leftovers if sight.sees_tasks else {},
    )


def _settled(run: Run, left: Leftovers | None) -> Run:
    """The run; where it is stopping, with `has_stopped` by its leftovers if these were read."""
    if run.state is not RunState.STOPPING or left is None or not run.uid:
        return run
    return replace(run, has_stopped=not left.is_active)


def _narrowed(items: Iterable[OnTarget], wanted: Wanted) -> list[OnTarget]:
    return [
        item
        for item in items
        if is_on_target(item.target, wanted.target) and wanted.workflow_id in ("", item.workflow_id)
    ]


def _summary(locks: int, cooldowns: int, rows: Sequence[Row]) -> str:
    phases = Counter(row.phase or "not seen yet" for row in rows)
    parts = ", ".join(f"{count} {phase}" for phase, count in sorted(phases.items()))
    counted = (
        _count(locks, "target"),
        _count(cooldowns, "cooldown"),
        _count(len(rows), "execution"),
    )
    return "{} held, {}, {}".format(*counted) + (f": {parts}" if parts else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def fields_of(query: Mapping[str, str]) -> dict[str, str]:
    """The fields of the filter form; empty where they are not filled in."""
    return {name: query.get(name, "").strip() for name in _FIELDS}


def problem_of(fields: dict[str, str]) -> str:
    """The reason why nothing can match; empty where something can."""
    try:
        if fields["target"]:
            parse_target(fields["target"])
    except ValueError as error:
        return str(error)
    return ""


def wanted_by(fields: dict[str, str]) -> Wanted:
    """The filter of executions by these fields."""
    phase = fields["phase"]
    return Wanted(
        target=fields["target"],
        workflow_id=fields["workflow"],
        phases=(Phase(phase),) if phase in list(Phase) else (),
    )


def number_of(query: Mapping[str, str]) -> int:
    """The number of the requested part of the executions, from 1."""
    given = query.get("page", "")
    is_number = given.isascii() and given.isdecimal() and len(given) < 4
    return min(max(int(given), 1), _MOST_PAGES) if is_number else 1


def holds_for(holds: Iterable[HeldBy], sight: Sight) -> list[HeldBy]:
    """The holds that a visitor may see, each with the waiting executions that they may see.

    A hold is shown to those who may list executions in its namespace. Others find its effect on
    an execution of theirs in the status of that execution.
    """
    return [
        replace(hold, waiting=[name for name in hold.waiting or () if _is_seen(name, sight)])
        for hold in holds
        if sight.sees(hold.namespace)
    ]


def _is_seen(execution: str, sight: Sight) -> bool:
    return sight.sees(execution.partition("/")[0])
