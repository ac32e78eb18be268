"""Holds as a list shows them, and what waits for each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBy:
    """A hold and what it keeps from being launched now.

    state: Active, Expired or NotUnderstood; the last one holds everything.
    until: aware UTC; None where it ends only when it is deleted.
    waiting: namespace/name of executions that it concerns and that have no run yet.
    """

    name: str
    namespace: str
    scope: str
    by: str
    reason: str
    since: datetime | None
    until: datetime | None
    state: str
    waiting: Sequence[str] = ()


def held_by(holds: Iterable[Hold], executions: Iterable[Execution], now: datetime) -> list[HeldBy]:
    """All holds, those that hold first, and of these the oldest first."""
    pending = [item for item in executions if not item.has_ended and item.run_name is None]
    found = [_held_by(hold, pending, now) for hold in holds]
    return sorted(found, key=lambda item: (item.state == "Expired", str(item.since), item.name))


def _held_by(hold: Hold, pending: Sequence[Execution], now: datetime) -> HeldBy:
    is_over = hold.is_over(now)
    waiting = [
        f"{item.namespace}/{item.name}"
        for item in pending
        if not is_over and hold.concerns(item.target, item.workflow_id, item.namespace)
    ]
    state = "NotUnderstood" if hold.problem else "Expired" if is_over else "Active"
    return HeldBy(
        name=hold.name,
        namespace=hold.namespace,
        scope=hold.scope,
        by=hold.by,
        reason=hold.problem or hold.reason,
        since=hold.since,
        until=hold.until,
        state=state,
        waiting=tuple(waiting),
    )
