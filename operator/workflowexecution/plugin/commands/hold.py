"""``hold`` and ``release``: keep new workflows from being launched, and lift that again."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from workflowexecution.api.duration import parse_duration
from workflowexecution.api.fields import format_time, parse_time
from workflowexecution.api.validation import parse_hold_spec
from workflowexecution.core.facts.hold import parse_hold
from workflowexecution.core.text import command
from workflowexecution.plugin.exits import Exit
from workflowexecution.plugin.hold_requests import create_hold, delete_hold, list_holds, who_asks
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import CommandError


async def hold(
    session: Session,
    reason: Annotated[str, typer.Option(help="Why, for people who wait for a launch.")],
    name: Annotated[str, typer.Argument(help="Name of the hold; one is given otherwise.")] = "",
    everything: Annotated[bool, typer.Option("--everything", help="Hold every launch.")] = False,
    within: Annotated[
        str,
        typer.Option("--in", help="Hold what is asked for in this namespace, or changes it."),
    ] = "",
    target: Annotated[str, typer.Option(help="Hold what changes this target.")] = "",
    workflow: Annotated[str, typer.Option(help="Hold this workflow.")] = "",
    lasting: Annotated[str, typer.Option("--for", help="How long, as 2h or 30m.")] = "",
    until: Annotated[str, typer.Option(help="Until when, as 2026-01-31T18:00:00Z.")] = "",
) -> Exit | None:
    """Hold new launches of everything, a namespace, a target or a workflow; what runs goes on."""
    by = await who_asks(session)
    given: dict[str, Any] = {
        "everything": everything or None,
        "namespace": within,
        "targetResource": target,
        "workflowId": workflow,
        "reason": reason,
        "heldBy": by,
        "expiresAt": _end(session, lasting, until),
    }
    spec = {key: value for key, value in given.items() if value}
    _, problem = parse_hold_spec({"spec": spec})
    if problem:
        raise CommandError(problem, Exit.USAGE)
    made = await create_hold(session, name, spec)
    session.printer.say(f"nothing new is launched: {made.describe()}")
    lift = command("kubectl", "wfe", "release", made.name)
    session.printer.note(f"what runs goes on; to lift it: {lift}")
    return None


async def release(
    session: Session,
    names: Annotated[list[str] | None, typer.Argument(help="Names of the holds.")] = None,
    expired: Annotated[
        bool, typer.Option("--expired", help="Delete all holds that have expired.")
    ] = False,
) -> Exit | None:
    """Lift holds: what waits for them goes on by itself."""
    chosen = [*(names or []), *(await _expired(session) if expired else [])]
    if not chosen and not expired:
        raise CommandError("name a hold, or give --expired; `holds` lists them", Exit.USAGE)
    for name in chosen:
        await delete_hold(session, name)
        session.printer.say(f"{session.execution_namespace}/{name} is lifted")
    if not chosen:
        session.printer.note("no hold has expired")
    return None


async def _expired(session: Session) -> list[str]:
    found = [parse_hold(raw) for raw in await list_holds(session)]
    return [hold.name for hold in found if hold.is_over(session.now())]


def _end(session: Session, lasting: str, until: str) -> str:
    """When it ends, by the API server's clock; empty where it does not."""
    if lasting and until:
        raise CommandError("give --for or --until, not both", Exit.USAGE)
    end = session.now() + parse_duration(lasting) if lasting else _moment(until)
    if end is not None and end <= session.now():
        raise CommandError(f"it would have ended before it begins: {format_time(end)}", Exit.USAGE)
    return format_time(end) if end else ""


def _moment(until: str) -> datetime | None:
    if not until:
        return None
    try:
        given = datetime.fromisoformat(until)
    except ValueError as error:
        raise CommandError(
            f"--until {until!r} is no time; write it like 2026-01-31T18:00:00Z", Exit.USAGE
        ) from error
    return given.replace(tzinfo=UTC) if given.tzinfo is None else parse_time(until)
