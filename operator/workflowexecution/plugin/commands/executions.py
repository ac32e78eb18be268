"""``list`` and ``watch``: list executions, and follow their changes."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Annotated, Final

import typer

from workflowexecution.api.reading import parse_duration
from workflowexecution.api.status import Phase
from workflowexecution.cli.table import Column, Line, table_lines
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.names import is_on_target
from workflowexecution.plugin.follow import Change, Follower, wait_for_end
from workflowexecution.plugin.parameters import OnlyTarget, OnlyWorkflow, Selector, complete_name
from workflowexecution.plugin.rendering import Output
from workflowexecution.plugin.requests import (
    all_executions,
    name_of_kind,
    read_execution,
    selector_of,
)
from workflowexecution.plugin.session import Session, let_connections_close
from workflowexecution.plugin.shell import Exit, for_each
from workflowexecution.views.executions import (
    Row,
    Wanted,
    rows_of,
)
from workflowexecution.views.why import progress_of
from workflowexecution.views.wording import short

_COLUMNS: Final[tuple[Column[Row], ...]] = (
    Column("NAME", lambda row: row.execution.name),
    Column("PHASE", lambda row: row.phase),
    Column("REASON", lambda row: row.reason if row.reason != row.phase else ""),
    Column("WORKFLOW", lambda row: row.execution.workflow_id, may_move=True),
    Column("TARGET", lambda row: row.execution.target, may_move=True),
    Column("DURATION", lambda row: short(row.duration)),
    Column("AGE", lambda row: short(row.age)),
    Column("RUN", lambda row: row.execution.run_name or "", is_wide=True, may_move=True),
    Column("BLOCKER", lambda row: row.blocker, is_wide=True, may_move=True),
)
_NAMESPACE: Final[Column[Row]] = Column("NAMESPACE", lambda row: row.execution.namespace)
_Batches = AsyncGenerator[list[Change], None]
# The interval in which a live table is redrawn, so that ages grow without a change.
_REDRAW_S: Final = 1.0
# Rows of ended executions in a live table.
_ENDED_SHOWN: Final = 50


async def list_executions(
    session: Session,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Only these executions; all if none is named.", autocompletion=complete_name
        ),
    ] = None,
    target: OnlyTarget = "",
    workflow: OnlyWorkflow = "",
    labels: Selector = "",
    phase: Annotated[
        list[Phase] | None,
        typer.Option(case_sensitive=False, help="Only those in this phase; may be repeated."),
    ] = None,
    since: Annotated[
        str, typer.Option(help="Only those created within this time, e.g. 2h or 30m.")
    ] = "",
    follow: Annotated[
        bool, typer.Option("--watch", "-w", help="Then print each change, until Ctrl-C.")
    ] = False,
) -> Exit | None:
    """List executions, newest first."""
    period = parse_duration(since) if since else None
    wanted = Wanted(target=target, workflow_id=workflow, phases=phase or ())
    if names:
        if labels or since or wanted != Wanted():
            raise ValueError("a filter does nothing beside names: leave out the one or the other")
        if follow:
            raise ValueError("-w does nothing beside names; `watch NAME` follows one execution")
        return await _list_named(session, names)
    if follow:
        if period:
            raise ValueError("--since does nothing with -w: leave it out")
        await _list_and_follow(session, wanted, labels)
        return None
    found = await all_executions(session, wanted, labels)
    now = session.now()
    if period:
        wanted = dataclasses.replace(wanted, created_since=now - period)
    _print_rows(session, rows_of(map(parse_execution, found), wanted, now))
    return None


async def _list_named(session: Session, names: Sequence[str]) -> Exit | None:
    """List the executions of these names that there are; an error names each other one."""
    found: list[Execution] = []

    async def read(name: str) -> None:
        found.append(parse_execution(await read_execution(session, name)))

    status = await for_each(session, names, read)
    if found:
        _print_rows(session, rows_of(found, Wanted(), session.now()))
    return status


def _print_rows(session: Session, rows: list[Row]) -> None:
    session.printer.print_items(
        rows,
        (_NAMESPACE, *_COLUMNS) if session.all_namespaces else _COLUMNS,
        name=lambda row: name_of_kind(row.execution.name),
        document=lambda row: row.execution.raw,
        empty=nothing_found(session),
    )


async def _list_and_follow(session: Session, wanted: Wanted, labels: str) -> None:
    """Print all that match, then each that changes; in JSON and YAML, the objects themselves."""
    follower = Follower(
        session,
        session.namespaces,
        which=selector_of(dataclasses.replace(wanted, phases=())),
        labels=labels,
        with_ended=True,
        on_trouble=lambda problem: session.printer.note(f"warning: {problem}; asking again"),
    )
    printed, is_first = dict[str, str](), True
    async with aclosing(follower.changes()) as batches:
        async for changes in batches:
            seen = {item.execution.uid: item.execution for item in changes if not item.is_deleted}
            new = [item for uid, item in seen.items() if printed.get(uid) != item.resource_version]
            printed |= {item.uid: item.resource_version for item in new}
            rows = rows_of(new, wanted, session.now())
            if session.printer.is_for_people and is_first:
                _print_rows(session, rows)
            elif session.printer.is_for_people:
                session.printer.print_table(rows, _shown(session), with_header=False)
            else:
                for row in rows:
                    name = name_of_kind(row.execution.name)
                    session.printer.print_change(row.execution.raw, name)
            is_first = False


def _shown(session: Session) -> list[Column[Row]]:
    columns = (_NAMESPACE, *_COLUMNS) if session.all_namespaces else _COLUMNS
    is_wide = session.printer.output is Output.WIDE
    return [item for item in columns if is_wide or not item.is_wide]


def nothing_found(session: Session) -> str:
    """The note that there are no such executions."""
    if session.all_namespaces:
        return "no such executions in any namespace"
    return f"no such executions in namespace {session.namespace}; -A looks in all"


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
    labels: Selector = "",
    wait_timeout: Annotated[
        str, typer.Option(help="How long to watch at most, e.g. 10m; for any time otherwise.")
    ] = "",
) -> Exit | None:
    """Watch executions: those that have not ended, and all that changes from now on."""
    limit = parse_duration(wait_timeout).total_seconds() if wait_timeout else None
    if name and (target or workflow or labels):
        raise ValueError("--target, --workflow and -l do nothing beside a name: leave one out")
    if name and session.printer.output is Output.WIDE:
        raise ValueError("-o wide does nothing beside a name: leave it out")
    if name:
        execution = parse_execution(await read_execution(session, name))
        prints = not session.printer.is_for_people
        return await wait_for_end(session, execution, limit, prints=prints)
    follower = Follower(
        session,
        session.namespaces,
        which=selector_of(Wanted(workflow_id=workflow)),
        labels=labels,
        on_trouble=lambda problem: session.printer.note(f"warning: {problem}; asking again"),
    )
    try:
        async with asyncio.timeout(limit):
            report = _show if session.printer.is_live else _print_changes
            async with aclosing(follower.changes()) as changes:
                await report(session, _on_target(changes, target))
    except TimeoutError:
        await let_connections_close()
    return None


async def _on_target(batches: _Batches, target: str) -> _Batches:
    async for changes in batches:
        yield [item for item in changes if is_on_target(item.execution.target, target)]


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
    with session.printer.live() as draw:
        clock = asyncio.create_task(_redraw(session, draw, shown))
        try:
            async for changes in batches:
                _note(shown, changes)
                draw(_table(session, shown))
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


async def _redraw(
    session: Session, draw: Callable[[Sequence[Line]], None], shown: dict[str, Execution]
) -> None:
    """Redraw the table at intervals, so that ages grow without a change."""
    while True:
        await asyncio.sleep(_REDRAW_S)
        draw(_table(session, shown))


def _table(session: Session, shown: dict[str, Execution]) -> list[Line]:
    rows = rows_of(shown.values(), Wanted(), session.now())
    if not rows:
        return [[("nothing runs; watching", "")]]
    return table_lines(rows, _shown(session), session.printer.width)
