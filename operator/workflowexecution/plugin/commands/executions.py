"""``list``, ``watch`` and ``top``: list executions, follow changes, and print statistics."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import Annotated, Final

import typer
from rich.live import Live
from rich.text import Text

from workflowexecution.api.duration import parse_duration
from workflowexecution.api.status import Phase
from workflowexecution.cli.table import Column, table_lines
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.plugin.follow import Change, Follower, wait_for_end
from workflowexecution.plugin.parameters import OnlyTarget, OnlyWorkflow, complete_name
from workflowexecution.plugin.rendering import Output
from workflowexecution.plugin.requests import (
    all_executions,
    name_of_kind,
    read_execution,
    selector_of,
)
from workflowexecution.plugin.session import Session, let_connections_close
from workflowexecution.plugin.shell import Exit
from workflowexecution.views.executions import (
    Activity,
    By,
    Group,
    Row,
    Wanted,
    activity_of,
    rows_of,
)
from workflowexecution.views.why import progress_of
from workflowexecution.views.wording import short

_COLUMNS: Final[tuple[Column[Row], ...]] = (
    Column("NAME", lambda row: row.execution.name),
    Column("PHASE", lambda row: row.phase),
    Column("REASON", lambda row: row.reason),
    Column("WORKFLOW", lambda row: row.execution.workflow_id),
    Column("TARGET", lambda row: row.execution.target),
    Column("DURATION", lambda row: short(row.duration)),
    Column("AGE", lambda row: short(row.age)),
    Column("RUN", lambda row: row.execution.run_name or "", is_wide=True),
    Column("BLOCKER", lambda row: row.blocker, is_wide=True),
)
_NAMESPACE: Final[Column[Row]] = Column("NAMESPACE", lambda row: row.execution.namespace)
_Batches = AsyncGenerator[list[Change], None]
# The interval in which a live table is redrawn, so that ages grow without a change.
_REDRAW_S: Final = 1.0
# Rows of ended executions in a live table.
_ENDED_SHOWN: Final = 50
_GROUP_COLUMNS: Final[tuple[Column[Group], ...]] = (
    Column("ACTIVE", lambda group: str(group.active)),
    Column("LAUNCHED", lambda group: str(group.launched)),
    Column("PER HOUR", lambda group: f"{group.per_hour:g}"),
    Column("COMPLETED", lambda group: str(group.completed)),
    Column("FAILED", lambda group: str(group.failed)),
    Column("SKIPPED", lambda group: str(group.skipped)),
    Column("MEDIAN", lambda group: short(group.median)),
    Column("P90", lambda group: short(group.p90)),
    Column("LONGEST", lambda group: short(group.longest)),
)


async def list_executions(
    session: Session,
    target: OnlyTarget = "",
    workflow: OnlyWorkflow = "",
    phase: Annotated[
        list[Phase] | None,
        typer.Option(case_sensitive=False, help="Only those in this phase; may be repeated."),
    ] = None,
    since: Annotated[
        str, typer.Option(help="Only those created within this time, e.g. 2h or 30m.")
    ] = "",
) -> Exit | None:
    """List executions, newest first."""
    period = parse_duration(since) if since else None
    wanted = Wanted(target=target, workflow_id=workflow, phases=phase or ())
    found = await all_executions(session, wanted)
    now = session.now()
    if period:
        wanted = dataclasses.replace(wanted, created_since=now - period)
    where = "any namespace" if session.all_namespaces else f"namespace {session.namespace}"
    hint = "" if session.all_namespaces else "; -A looks in all"
    session.printer.print_items(
        rows_of(map(parse_execution, found), wanted, now),
        (_NAMESPACE, *_COLUMNS) if session.all_namespaces else _COLUMNS,
        name=lambda row: name_of_kind(row.execution.name),
        document=lambda row: row.execution.raw,
        empty=f"no such executions in {where}{hint}",
    )
    return None


async def watch(
    session: Session,
    name: Annotated[
        str,
        typer.Argument(
            help="Follow this one execution to its end; the exit status tells the outcome.",
            autocompletion=complete_name,
        ),
    ] = "",
    target: OnlyTarget = "",
    workflow: OnlyWorkflow = "",
    wait_timeout: Annotated[
        str, typer.Option(help="How long to watch at most, e.g. 10m; for any time otherwise.")
    ] = "",
) -> Exit | None:
    """Watch executions: those that have not ended, and all that changes from now on."""
    limit = parse_duration(wait_timeout).total_seconds() if wait_timeout else None
    if name and (target or workflow):
        raise ValueError("--target and --workflow do nothing beside a name: leave one out")
    if name and session.printer.output is Output.WIDE:
        raise ValueError("-o wide does nothing beside a name: leave it out")
    if name:
        execution = parse_execution(await read_execution(session, name))
        prints = not session.printer.is_for_people
        return await wait_for_end(session, execution, limit, prints=prints)
    follower = Follower(
        session,
        session.namespaces,
        which=selector_of(Wanted(target=target, workflow_id=workflow)),
        on_trouble=lambda problem: session.printer.note(f"warning: {problem}; asking again"),
    )
    try:
        async with asyncio.timeout(limit):
            report = _show if session.printer.is_live else _print_changes
            async with aclosing(follower.changes()) as changes:
                await report(session, changes)
    except TimeoutError:
        await let_connections_close()
    return None


async def _print_changes(session: Session, batches: _Batches) -> None:
    """Print a line for each change; in JSON and YAML, the object itself."""
    printed: dict[str, str] = {}
    async for changes in batches:
        for change in changes:
            execution, line = change.execution, _line(change)
            if printed.get(execution.uid) == line:
                continue
            printed[execution.uid] = line
            if change.is_deleted or execution.has_ended:
                del printed[execution.uid]
            if session.printer.is_for_people:
                session.printer.say_from("", f"{session.now():%H:%M:%S} {line}")
            else:
                session.printer.print_change(execution.raw, name_of_kind(execution.name))


def _line(change: Change) -> str:
    execution = change.execution
    stands = "deleted" if change.is_deleted else progress_of(execution)
    what = f"workflow {execution.workflow_id} on {execution.target}"
    return f"{execution.namespace}/{execution.name}: {stands}; {what}"


async def _show(session: Session, batches: _Batches) -> None:
    """Show a live table on the terminal: active executions, and those that ended meanwhile."""
    shown: dict[str, Execution] = {}
    with session.printer.open_live() as live:
        clock = asyncio.create_task(_redraw(session, live, shown))
        try:
            async for changes in batches:
                _note(shown, changes)
                live.update(_table(session, shown), refresh=True)
        finally:
            clock.cancel()


def _note(shown: dict[str, Execution], changes: list[Change]) -> None:
    for change in changes:
        # The last changed execution is last.
        shown.pop(change.execution.uid, None)
        if not change.is_deleted:
            shown[change.execution.uid] = change.execution
    ended = [uid for uid, item in shown.items() if item.has_ended]
    for uid in ended[:-_ENDED_SHOWN]:
        del shown[uid]


async def _redraw(session: Session, live: Live, shown: dict[str, Execution]) -> None:
    """Redraw the table at intervals, so that ages grow without a change."""
    while True:
        await asyncio.sleep(_REDRAW_S)
        live.update(_table(session, shown), refresh=True)


def _table(session: Session, shown: dict[str, Execution]) -> Text:
    columns = (_NAMESPACE, *_COLUMNS) if session.all_namespaces else _COLUMNS
    rows = rows_of(shown.values(), Wanted(), session.now())
    is_wide = session.printer.output is Output.WIDE
    lines = table_lines(rows, [item for item in columns if is_wide or not item.is_wide])
    table = Text("\n", no_wrap=True, overflow="ellipsis").join(lines)
    return table if rows else Text("nothing runs; watching")


async def top(
    session: Session,
    target: OnlyTarget = "",
    workflow: OnlyWorkflow = "",
    since: Annotated[str, typer.Option(help="How far back, e.g. 24h or 30m.")] = "1h",
    by: Annotated[By, typer.Option(help="What to sum up by.")] = By.WORKFLOW,
) -> Exit | None:
    """Sum up executions: rates, durations, skips and failures by reason."""
    period = parse_duration(since)
    if period <= timedelta(0):
        raise ValueError(f"--since {since!r} is no time in the past; write it like 24h or 30m")
    wanted = Wanted(target=target, workflow_id=workflow)
    found = await all_executions(session, wanted)
    activity = activity_of(map(parse_execution, found), by, period, session.now())
    if session.printer.is_for_people:
        _print_activity(session, activity, by)
    else:
        names = "\n".join(group.name for group in activity.groups)
        session.printer.print_answer(activity, names, "")
    return None


def _print_activity(session: Session, activity: Activity, by: By) -> None:
    name: Column[Group] = Column(by.value.upper(), lambda group: group.name)
    total = [activity.total] if len(activity.groups) > 1 else []
    session.printer.print_table([*activity.groups, *total], (name, *_GROUP_COLUMNS))
    for title, reasons in (("Skips", activity.skips), ("Failures", activity.failures)):
        session.printer.say(f"{title}: {_count(reasons)}")
    session.printer.note("of executions that still exist; the operator's metrics count all")


def _count(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in reasons.items()) or "none"
