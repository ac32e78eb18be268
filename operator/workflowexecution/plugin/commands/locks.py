"""``locks``: targets that are held now."""

from typing import Final

from workflowexecution.plugin.commands.parameters import OnlyTarget
from workflowexecution.plugin.exits import Exit
from workflowexecution.plugin.gather import gather_facts
from workflowexecution.plugin.rendering import Column
from workflowexecution.plugin.session import Session
from workflowexecution.views.blockers import Lock, locks_of
from workflowexecution.views.wording import short


async def list_locks(
    session: Session,
    target: OnlyTarget = "",
) -> Exit | None:
    """List targets that are locked now, in all namespaces: holder, since when, by which run."""
    facts = await gather_facts(session, target)
    now = session.now()
    columns: Final[tuple[Column[Lock], ...]] = (
        Column("TARGET", lambda lock: lock.target),
        Column("HOLDER", lambda lock: lock.holder),
        Column("WORKFLOW", lambda lock: lock.workflow_id),
        Column("SINCE", lambda lock: short(now - lock.since) if lock.since else ""),
        Column("STATE", lambda lock: lock.state),
        Column("EXECUTING", lambda lock: lock.executing),
        Column("RUN", lambda lock: lock.run, is_wide=True),
        Column("PODS", lambda lock: ", ".join(lock.pods), is_wide=True),
    )
    found = locks_of(facts.executions, facts.runs, facts.leftovers)
    session.printer.print_items(
        [lock for lock in found if target in ("", lock.target)],
        columns,
        name=lambda lock: f"pipelinerun.tekton.dev/{lock.run.rpartition('/')[2]}",
        empty=f"{target} is not held" if target else "no target is held",
    )
    for line in facts.unread:
        session.printer.note(f"warning: this may not be all: {line}")
    return None
