"""Workflows that may not run again on a target yet, because they ended there lately."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflowexecution.core import evidence
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run, RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooldown:
    """A workflow that waits on a target.

    execution: namespace/name of the one that ended last.
    until: aware UTC; from then on it may run.
    """

    target: str
    workflow_id: str
    execution: str
    outcome: str
    completed_at: datetime
    until: datetime
    remaining: timedelta


def newest_ends(
    executions: Iterable[Execution], runs: Iterable[Run], now: datetime
) -> list[Evidence]:
    """Per target and workflow how it ended last, as told by its run or its own status."""
    finished = [run for run in runs if run.state is RunState.FINISHED]
    ends = [evidence.end_of_run(run, now) for run in finished]
    ends += [evidence.end_of_execution(item, now) for item in executions]
    newest: dict[tuple[str, str], Evidence] = {}
    for end in sorted(filter(None, ends), key=evidence.end_order):
        newest[end.target, end.workflow_id] = end
    return list(newest.values())


def cooldowns_of(ends: Iterable[Evidence], period: timedelta, now: datetime) -> list[Cooldown]:
    """The cooldowns that are not over, the one that ends first at the beginning."""
    found = [_cooldown(end, end.completed_at, period, now) for end in ends if end.completed_at]
    active = [item for item in found if now < item.until]
    return sorted(active, key=lambda item: (item.until, item.target, item.workflow_id))


def _cooldown(end: Evidence, completed_at: datetime, period: timedelta, now: datetime) -> Cooldown:
    until = completed_at + period
    return Cooldown(
        target=end.target,
        workflow_id=end.workflow_id,
        execution=f"{end.namespace}/{end.name}",
        outcome=end.outcome or "",
        completed_at=completed_at,
        until=until,
        remaining=until - now,
    )
