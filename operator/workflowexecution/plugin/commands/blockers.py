"""Obstacles to a launch on a target: ``locks`` and ``cooldowns``."""

from typing import Final

from workflowexecution.api.duration import parse_duration
from workflowexecution.cli.table import Column
from workflowexecution.plugin.gather import gather_facts
from workflowexecution.plugin.parameters import (
    DEFAULT_COOLDOWN,
    CooldownText,
    OnlyTarget,
)
from workflowexecution.plugin.requests import (
    name_of_kind,
)
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import Exit, report_unread
from workflowexecution.views.blockers import (
    Cooldown,
    Lock,
    cooldowns_of,
    locks_of,
    newest_ends,
)
from workflowexecution.views.preview import Facts
from workflowexecution.views.wording import short

_COOLDOWN_COLUMNS: Final[tuple[Column[Cooldown], ...]] = (
    Column("TARGET", lambda item: item.target),
    Column("WORKFLOW", lambda item: item.workflow_id, may_move=True),
    Column("REMAINING", lambda item: short(item.remaining)),
    Column("BECAUSE OF", lambda item: item.execution, may_move=True),
    Column("OUTCOME", lambda item: item.outcome),
    Column("UNTIL", lambda item: f"{item.until:%H:%M:%S} UTC", is_wide=True),
)


async def list_locks(
    session: Session,
    target: OnlyTarget = "",
) -> Exit | None:
    """List targets that are locked now, in all namespaces: holder, since when, by which run."""
    facts = await gather_facts(session, target)
    now = session.now()
    columns: Final[tuple[Column[Lock], ...]] = (
        Column("TARGET", lambda lock: lock.target),
        Column("HOLDER", lambda lock: lock.holder, may_move=True),
        Column("WORKFLOW", lambda lock: lock.workflow_id, may_move=True),
        Column("SINCE", lambda lock: short(now - lock.since) if lock.since else ""),
        Column("STATE", lambda lock: lock.state),
        Column("EXECUTING", lambda lock: lock.executing, may_move=True),
        Column("RUN", lambda lock: lock.run, is_wide=True, may_move=True),
        Column("PODS", lambda lock: ", ".join(lock.pods), is_wide=True, may_move=True),
    )
    found = locks_of(facts.executions, facts.runs, facts.leftovers)
    session.printer.print_items(
        [lock for lock in found if target in ("", lock.target)],
        columns,
        name=lambda lock: f"pipelinerun.tekton.dev/{lock.run.rpartition('/')[2]}",
        empty=_unless(facts, f"{target} is not held" if target else "no target is held"),
    )
    which = "whether other targets are locked" if found else "which targets are locked"
    what = f"whether {target} is locked" if target else which
    return report_unread(session.printer, what, facts.unread)


def _unless(facts: Facts, nothing: str) -> str:
    """The note that there is nothing; empty where not everything could be read."""
    return "" if facts.unread else nothing


async def list_cooldowns(
    session: Session,
    target: OnlyTarget = "",
    cooldown: CooldownText = DEFAULT_COOLDOWN,
) -> Exit | None:
    """List workflows that may not run again on a target yet, of all namespaces."""
    period = parse_duration(cooldown)
    facts = await gather_facts(session, target)
    now = session.now()
    ends = newest_ends(facts.executions, facts.runs, now)
    found = cooldowns_of(ends, period, now)
    session.printer.print_items(
        [item for item in found if target in ("", item.target)],
        _COOLDOWN_COLUMNS,
        name=lambda item: name_of_kind(item.execution.rpartition("/")[2]),
        empty=_unless(facts, f"nothing cools down on {target}" if target else "nothing cools down"),
    )
    what = f"what else cools down{f' on {target}' if target else ''}"
    return report_unread(session.printer, what, facts.unread)
