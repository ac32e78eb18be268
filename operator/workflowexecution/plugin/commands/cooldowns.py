"""``cooldowns``: workflows that may not run again on a target yet."""

from typing import Final

from workflowexecution.plugin.commands.parameters import (
    DEFAULT_COOLDOWN,
    CooldownText,
    OnlyTarget,
    cooldown_of,
)
from workflowexecution.plugin.exits import Exit
from workflowexecution.plugin.gather import gather_facts
from workflowexecution.plugin.locate import name_of_kind
from workflowexecution.plugin.rendering import Column
from workflowexecution.plugin.session import Session
from workflowexecution.views.blockers import Cooldown, cooldowns_of, newest_ends
from workflowexecution.views.wording import short

_COLUMNS: Final[tuple[Column[Cooldown], ...]] = (
    Column("TARGET", lambda item: item.target),
    Column("WORKFLOW", lambda item: item.workflow_id),
    Column("REMAINING", lambda item: short(item.remaining)),
    Column("BECAUSE OF", lambda item: item.execution),
    Column("OUTCOME", lambda item: item.outcome),
    Column("UNTIL", lambda item: f"{item.until:%H:%M:%S} UTC", is_wide=True),
)


async def list_cooldowns(
    session: Session,
    target: OnlyTarget = "",
    cooldown: CooldownText = DEFAULT_COOLDOWN,
) -> Exit | None:
    """List workflows that may not run again on a target yet, of all namespaces."""
    period = cooldown_of(cooldown)
    facts = await gather_facts(session, target)
    now = session.now()
    ends = newest_ends(facts.executions, facts.runs, now)
    found = cooldowns_of(ends, period, now)
    session.printer.print_items(
        [item for item in found if target in ("", item.target)],
        _COLUMNS,
        name=lambda item: name_of_kind(item.execution.rpartition("/")[2]),
        empty=f"nothing cools down on {target}" if target else "nothing cools down",
    )
    for line in facts.unread:
        session.printer.note(f"warning: this may not be all: {line}")
    return None
