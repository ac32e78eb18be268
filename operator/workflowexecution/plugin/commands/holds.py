"""``holds``: what people keep from being launched."""

from typing import Annotated, Final

import typer

from workflowexecution.api import identity
from workflowexecution.core.facts.execution import parse_execution
from workflowexecution.core.facts.hold import parse_hold
from workflowexecution.kube import errors
from workflowexecution.plugin.exits import Exit
from workflowexecution.plugin.gather import cluster_of
from workflowexecution.plugin.hold_requests import list_holds
from workflowexecution.plugin.rendering import Column
from workflowexecution.plugin.session import Session
from workflowexecution.views.blockers import HeldBy, held_by
from workflowexecution.views.wording import missing_right, short


async def list_of_holds(
    session: Session,
    show_expired: Annotated[
        bool, typer.Option("--show-expired", help="Also those that have expired.")
    ] = False,
) -> Exit | None:
    """List holds: who keeps what from being launched, why, until when, and what waits."""
    holds = [parse_hold(raw) for raw in await list_holds(session)]
    executions = []
    try:
        executions = [parse_execution(raw) async for raw in cluster_of(session).list_executions()]
    except errors.MissingRightError as error:
        session.printer.note(
            f"warning: what waits for them cannot be told: {missing_right(str(error))}"
        )
    now = session.now()
    columns: Final[tuple[Column[HeldBy], ...]] = (
        Column("NAME", lambda item: item.name),
        Column("HOLDS", lambda item: item.scope),
        Column("BY", lambda item: item.by),
        Column("SINCE", lambda item: short(now - item.since) if item.since else ""),
        Column("FOR", lambda item: short(item.until - now) if item.until else "until released"),
        Column("WAITING", lambda item: str(len(item.waiting))),
        Column("REASON", lambda item: item.reason),
        Column("STATE", lambda item: item.state, is_wide=True),
        Column("EXECUTIONS", lambda item: ", ".join(item.waiting), is_wide=True),
    )
    found = held_by(holds, executions, now)
    session.printer.print_items(
        [item for item in found if show_expired or item.state != "Expired"],
        columns,
        name=lambda item: f"{identity.HOLD_SINGULAR}.{identity.GROUP}/{item.name}",
        empty="nothing is held",
    )
    return None
