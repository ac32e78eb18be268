"""Obstacles to a launch: ``locks``, ``cooldowns``, ``holds``; ``hold`` and ``release``."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from workflowexecution.api import identity
from workflowexecution.api.duration import parse_duration
from workflowexecution.api.fields import format_time
from workflowexecution.api.hold import parse_hold_spec
from workflowexecution.api.reading import parse_time
from workflowexecution.cli.table import Column
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.hold import parse_hold
from workflowexecution.core.text import command
from workflowexecution.plugin.gather import gather_facts, readable
from workflowexecution.plugin.parameters import (
    DEFAULT_COOLDOWN,
    CooldownText,
    OnlyTarget,
)
from workflowexecution.plugin.requests import (
    cluster_of,
    create_hold,
    delete_hold,
    list_holds,
    name_of_kind,
    user_name,
)
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import CommandError, Exit, report_unread
from workflowexecution.views.blockers import (
    Cooldown,
    HeldBy,
    Lock,
    cooldowns_of,
    held_by,
    locks_of,
    newest_ends,
)
from workflowexecution.views.preview import Facts
from workflowexecution.views.wording import short

_COOLDOWN_COLUMNS: Final[tuple[Column[Cooldown], ...]] = (
    Column("TARGET", lambda item: item.target),
    Column("WORKFLOW", lambda item: item.workflow_id),
    Column("REMAINING", lambda item: short(item.remaining)),
    Column("BECAUSE OF", lambda item: item.execution),
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


async def list_of_holds(
    session: Session,
    show_expired: Annotated[
        bool, typer.Option("--show-expired", help="Also those that have expired.")
    ] = False,
) -> Exit | None:
    """List holds: who keeps what from being launched, why, until when, and what waits."""
    holds = [parse_hold(raw) for raw in await list_holds(session)]
    unread: list[str] = []
    executions = await readable(cluster_of(session).list_executions(), unread)
    now = session.now()
    columns: Final[tuple[Column[HeldBy], ...]] = (
        Column("NAME", lambda item: item.name),
        Column("HOLDS", lambda item: item.scope),
        Column("BY", lambda item: item.by),
        Column("SINCE", lambda item: short(now - item.since) if item.since else ""),
        Column("FOR", lambda item: short(item.until - now) if item.until else "until released"),
        Column("WAITING", _count_of_waiting),
        Column("REASON", lambda item: item.reason),
        Column("STATE", lambda item: item.state, is_wide=True),
        Column("EXECUTIONS", lambda item: ", ".join(item.waiting or ()), is_wide=True),
    )
    found = held_by(holds, None if unread else map(parse_execution, executions), now)
    session.printer.print_items(
        [item for item in found if show_expired or item.state != "Expired"],
        columns,
        name=lambda item: f"{identity.HOLD_SINGULAR}.{identity.GROUP}/{item.name}",
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
