"""Obstacles to a launch on a target: ``locks`` and ``cooldowns``."""

from typing import Final

from workflowexecution.cli.table import Column
from workflowexecution.core.names import is_on_target
from workflowexecution.core.policy import Rules
from workflowexecution.plugin.gather import gather_facts, read_settings
from workflowexecution.plugin.parameters import OnlyTarget
from workflowexecution.plugin.requests import name_of_kind
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import Exit, report_unread
from workflowexecution.views.blockers import (
    Cooldown,
    Lock,
    cooldowns_of,
    locks_of,
)
from workflowexecution.views.preview import store_of
from workflowexecution.views.published import Basis
from workflowexecution.views.wording import short

_COOLDOWN_COLUMNS: Final[tuple[Column[Cooldown], ...]] = (
    Column("TARGET", lambda item: item.target),
    Column("WORKFLOW", lambda item: item.workflow_id, may_move=True),
    Column("REMAINING", lambda item: short(item.remaining) if item.remaining else "until cleared"),
    Column("BECAUSE OF", lambda item: item.execution, may_move=True),
    Column("OUTCOME", lambda item: item.outcome),
    Column("REASON", lambda item: item.reason, is_wide=True),
    Column("UNTIL", lambda item: f"{item.until:%H:%M:%S} UTC" if item.until else "", is_wide=True),
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
    shown = [lock for lock in found if is_on_target(lock.target, target)]
    session.printer.print_items(
        shown,
        columns,
        name=lambda lock: f"pipelinerun.tekton.dev/{lock.run.rpartition('/')[2]}",
        empty="" if facts.unread else f"{target} is not held" if target else "no target is held",
    )
    which = "whether other targets are locked" if shown else "which targets are locked"
    of_target = f"what executes on {target}" if shown else f"whether {target} is locked"
    return report_unread(session.printer, of_target if target else which, facts.unread)


async def list_cooldowns(
    session: Session,
    target: OnlyTarget = "",
) -> Exit | None:
    """List workflows that may not run again on a target yet, of all namespaces.

    The reasons are cooldowns, pauses after failures, and failures that a person has to clear.
    """
    settings = await read_settings(session)
    facts = await gather_facts(session, target)
    now = session.now()
    store, bases = store_of(facts, "", now), dict[str, Basis]()

    def rules_for(one: str) -> Rules | None:
        if not is_on_target(one, target):
            return None
        if one not in bases:
            bases[one] = settings.basis_for(one, now)
        return bases[one].rules

    found = cooldowns_of(store, rules_for, now)
    unknown = list(dict.fromkeys(basis.unknown for basis in bases.values() if basis.unknown))
    lacking = [*(unknown if settings.lacks_right else ()), *facts.unread]
    others = () if settings.lacks_right else unknown
    on_target = f" on {target}" if target else ""
    session.printer.print_items(
        found,
        _COOLDOWN_COLUMNS,
        name=lambda item: name_of_kind(item.execution.rpartition("/")[2]),
        empty="" if lacking or others else f"nothing cools down{on_target}",
    )
    for line in dict.fromkeys(note for basis in bases.values() for note in basis.notes):
        session.printer.note(f"warning: {line}")
    what = f"what {'else ' if found else ''}cools down{on_target}"
    for line in others:
        session.printer.note(f"unknown: {what}: {line}")
    status = report_unread(session.printer, what, lacking)
    return status or (Exit.ERROR if others and not found else None)
