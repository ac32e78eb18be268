"""``holds``, ``hold`` and ``release``: what people keep from being launched."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from workflowexecution.api import identity
from workflowexecution.api.hold import parse_hold_spec
from workflowexecution.api.reading import format_time, parse_duration, parse_time
from workflowexecution.cli.table import Column
from workflowexecution.client.cluster import Raw
from workflowexecution.client.paths import EVENTS, holds_path
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import Hold, notes_of_release, parse_hold
from workflowexecution.core.facts.run import Owner
from workflowexecution.core.text import command
from workflowexecution.kube import errors
from workflowexecution.observe.events import build_event
from workflowexecution.plugin.gather import list_holds, readable
from workflowexecution.plugin.parameters import in_flags
from workflowexecution.plugin.requests import (
    cluster_of,
    name_of_hold,
    user_name,
)
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import CommandError, Exit, explain, report_unread
from workflowexecution.views.blockers import HeldBy, extent_of, held_by, released
from workflowexecution.views.wording import in_words, short

_KIND: Final = f"{identity.HOLD_SINGULAR}.{identity.GROUP}"
_FLAGS: Final = {
    "spec.targetResource": "--target",
    "spec.workflowId": "--workflow",
    "spec.namespace": "--in",
    "spec.reason": "--reason",
}


async def list_of_holds(
    session: Session,
    show_expired: Annotated[
        bool, typer.Option("--show-expired", help="Also those that have expired.")
    ] = False,
) -> Exit | None:
    """List holds: who keeps what from being launched, why, until when, and what waits."""
    holds = [parse_hold(raw) for raw in await list_holds(session)]
    unread: list[str] = []
    executions = await readable(_executions_of(session), unread)
    now = session.now()
    columns: Final[tuple[Column[HeldBy], ...]] = (
        Column("NAME", lambda item: item.name),
        Column("HOLDS", lambda item: item.scope, may_move=True),
        Column("BY", lambda item: item.by, may_move=True),
        Column("SINCE", lambda item: short(now - item.since) if item.since else ""),
        Column("FOR", lambda item: short(item.until - now) if item.until else "until released"),
        Column("WAITING", _count_of_waiting),
        Column("STATE", lambda item: item.state, is_wide=True),
        Column(
            "EXECUTIONS", lambda item: ", ".join(item.waiting or ()), is_wide=True, may_move=True
        ),
        Column("REASON", lambda item: item.reason, is_text=True),
    )
    found = held_by(holds, None if unread else map(parse_execution, executions), now)
    session.printer.print_items(
        [item for item in found if show_expired or item.state != "Expired"],
        columns,
        name=lambda item: f"{_KIND}/{item.name}",
        empty="nothing is held",
    )
    return report_unread(session.printer, "which executions wait for them", unread)


def _count_of_waiting(item: HeldBy) -> str:
    return "unknown" if item.waiting is None else str(len(item.waiting))


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
    if everything == bool(within or target or workflow):
        raise CommandError(
            "say what to hold: --everything, or at least one of --in, --target and --workflow",
            Exit.USAGE,
        )
    by = await user_name(session)
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
        raise CommandError(in_flags(problem, _FLAGS), Exit.USAGE)
    raw = await _create(session, name, spec)
    made = parse_hold(raw)
    said = f"{extent_of(made)}\n{made.describe()}"
    session.printer.print_answer(raw, f"{_KIND}/{made.name}", said)
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
    if not names and not expired:
        raise CommandError("name a hold, or give --expired; `holds` lists them", Exit.USAGE)
    unread: list[str] = []
    found = await readable(_holds_of(session), unread)
    known = [parse_hold(raw) for raw in found]
    over = [hold.name for hold in known if hold.is_over(session.now())] if expired else []
    given = map(name_of_hold, names or [])
    # Both before the deletion: the operator may launch at once what waits.
    waiting = [*map(parse_execution, await readable(_executions_of(session), unread))]
    at = session.now()
    lifted, status = await _delete(session, dict.fromkeys([*given, *over]))
    if not lifted and status is Exit.OK:
        session.printer.note("no hold has expired")
    await _record(session, [raw for raw in found if raw["metadata"]["name"] in lifted], at)
    _report_launches(session, known, lifted, waiting, unread)
    return status


def _executions_of(session: Session) -> AsyncIterator[Raw]:
    return cluster_of(session).list_executions()


def _holds_of(session: Session) -> AsyncIterator[Raw]:
    return cluster_of(session).list_holds()


async def _delete(session: Session, names: Iterable[str]) -> tuple[list[str], Exit]:
    """Delete holds, also after an error; returns those that are deleted, and the exit status."""
    lifted, status = list[str](), Exit.OK
    for name in names:
        try:
            await _lift(session, name)
        except errors.ApiError as error:
            status, said = explain(error)
            session.printer.note(f"error: {said}")
            continue
        lifted.append(name)
        said = f"{session.execution_namespace}/{name} is lifted"
        session.printer.print_answer({}, f"{_KIND}/{name}", said)
    return lifted, status


async def _record(session: Session, lifted: Sequence[Raw], at: datetime) -> None:
    """Record an Event for each, by which `describe` shows a release; without the right, warn."""
    try:
        by = await user_name(session) if lifted else ""
        for raw in lifted:
            event = release_event(raw, by, at)
            path = f"{EVENTS}/namespaces/{session.execution_namespace}/events"
            await session.client.request("POST", path, body=event)
    except errors.ApiError as error:
        session.printer.note(f"warning: no Event reports the release: {in_words(error)}")


def release_event(hold: Raw, by: str, now: datetime) -> dict[str, Any]:
    """Build the Event of a hold that ``by`` has released; `parse_release` reads it.

    Args:
        hold: the whole object, as it was.
        by: name of the user.
        now: aware UTC.
    """
    meta = hold["metadata"]
    owner = Owner(uid=meta["uid"], namespace=meta["namespace"], name=meta["name"])
    note = f"released by {by}: {parse_hold(hold).describe()}"
    event = build_event(owner, identity.RELEASED, note, now, action="Release")
    event["metadata"]["annotations"] = notes_of_release(hold, by)
    event["regarding"]["kind"] = identity.HOLD_KIND
    return event | {"reportingController": "kubectl-wfe"}


def _report_launches(
    session: Session,
    known: Sequence[Hold],
    lifted: Sequence[str],
    executions: Sequence[Execution],
    unread: Sequence[str],
) -> None:
    """Say which executions go on; what is done is done, so a missing right is only a note."""
    if not lifted:
        return
    if report_unread(session.printer, "what goes on now", unread):
        return
    gone = [hold for hold in known if hold.name in lifted]
    left = [hold for hold in known if hold.name not in lifted]
    found = released(gone, left, executions, session.now())
    nothing = "nothing" if found.still_held else "nothing, since no execution waited"
    session.printer.note(f"goes on now: {', '.join(found.going) or nothing}")
    for name, hold in found.still_held:
        session.printer.note(f"still waits: {name}, for hold {hold}")


def _end(session: Session, lasting: str, until: str) -> str:
    """The end of a hold, by the API server's clock; empty for none."""
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


async def _create(session: Session, name: str, spec: dict[str, Any]) -> Raw:
    """Create a hold; without a name, the API server makes one."""
    meta = {"name": name} if name else {"generateName": "hold-"}
    body = {
        "apiVersion": identity.API_VERSION,
        "kind": identity.HOLD_KIND,
        "metadata": {**meta, "namespace": session.execution_namespace},
        "spec": spec,
    }
    path = holds_path(session.execution_namespace)
    return await session.client.request("POST", path, body=body)


async def _lift(session: Session, name: str) -> None:
    """Delete a hold. Raises: NotFoundError where there is none."""
    path = f"{holds_path(session.execution_namespace)}/{quote(name, safe='')}"
    await session.client.request("DELETE", path)
