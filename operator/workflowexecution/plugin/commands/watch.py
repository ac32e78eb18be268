"""``watch``: executions as they change, or one of them to its end."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Final

import typer
from rich.live import Live
from rich.text import Text

from workflowexecution.api.duration import parse_duration
from workflowexecution.core.facts.execution import Execution, parse_execution
from workflowexecution.plugin.commands.list import COLUMNS, NAMESPACE
from workflowexecution.plugin.commands.parameters import OnlyTarget, OnlyWorkflow
from workflowexecution.plugin.commands.waiting import wait_for_end
from workflowexecution.plugin.completion import complete_name
from workflowexecution.plugin.exits import Exit
from workflowexecution.plugin.follow import Change, Follower
from workflowexecution.plugin.gather import selector_of
from workflowexecution.plugin.locate import name_of_kind, read_execution
from workflowexecution.plugin.rendering import Output, table_lines
from workflowexecution.plugin.session import Session, let_connections_close
from workflowexecution.views.executions import Wanted, rows_of
from workflowexecution.views.why import progress_of

_Batches = AsyncGenerator[list[Change], None]
# How often ages are counted on where nothing changes.
_REDRAW_S: Final = 1.0
# Of those that ended while somebody looks.
_ENDED_SHOWN: Final = 50


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
    if name:
        execution = parse_execution(await read_execution(session, name))
        return await wait_for_end(session, execution, limit)
    follower = Follower(
        session,
        session.namespaces,
        which=selector_of(Wanted(target=target, workflow_id=workflow)),
        on_trouble=lambda said: session.printer.note(f"warning: {said}; asking again"),
    )
    try:
        async with asyncio.timeout(limit):
            tell = _show if session.printer.is_live else _tell
            async with aclosing(follower.changes()) as changes:
                await tell(session, changes)
    except TimeoutError:
        await let_connections_close()
    return None


async def _tell(session: Session, batches: _Batches) -> None:
    """Print a line for each change, or the object itself where that was asked for."""
    told: dict[str, str] = {}
    async for changes in batches:
        for change in changes:
            execution, line = change.execution, _line(change)
            if told.get(execution.uid) == line:
                continue
            told[execution.uid] = line
            if change.is_deleted or execution.has_ended:
                del told[execution.uid]
            if session.printer.output in (Output.TABLE, Output.WIDE):
                session.printer.say_from("", f"{session.now():%H:%M:%S} {line}")
            else:
                session.printer.print_change(execution.raw, name_of_kind(execution.name))


def _line(change: Change) -> str:
    execution = change.execution
    stands = "deleted" if change.is_deleted else progress_of(execution)
    what = f"workflow {execution.workflow_id} on {execution.target}"
    return f"{execution.namespace}/{execution.name}: {stands}; {what}"


async def _show(session: Session, batches: _Batches) -> None:
    """Keep a table on the terminal as things are: what runs, and what has ended meanwhile."""
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
        # What changed last is last.
        shown.pop(change.execution.uid, None)
        if not change.is_deleted:
            shown[change.execution.uid] = change.execution
    ended = [uid for uid, item in shown.items() if item.has_ended]
    for uid in ended[:-_ENDED_SHOWN]:
        del shown[uid]


async def _redraw(session: Session, live: Live, shown: dict[str, Execution]) -> None:
    """Have times count on where nothing changes."""
    while True:
        await asyncio.sleep(_REDRAW_S)
        live.update(_table(session, shown), refresh=True)


def _table(session: Session, shown: dict[str, Execution]) -> Text:
    columns = (NAMESPACE, *COLUMNS) if session.all_namespaces else COLUMNS
    rows = rows_of(shown.values(), Wanted(), session.now())
    is_wide = session.printer.output is Output.WIDE
    lines = table_lines(rows, [item for item in columns if is_wide or not item.is_wide])
    table = Text("\n", no_wrap=True, overflow="ellipsis").join(lines)
    return table if rows else Text("nothing runs; watching")
