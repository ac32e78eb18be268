"""``list``: executions, newest first, by target, workflow, phase and age."""

import dataclasses
from typing import Annotated, Final

import typer

from workflowexecution.api.duration import parse_duration
from workflowexecution.api.status import Phase
from workflowexecution.core.facts.execution import parse_execution
from workflowexecution.plugin import gather
from workflowexecution.plugin.commands.parameters import OnlyTarget, OnlyWorkflow
from workflowexecution.plugin.exits import Exit
from workflowexecution.plugin.locate import name_of_kind
from workflowexecution.plugin.rendering import Column
from workflowexecution.plugin.session import Session
from workflowexecution.views.executions import Row, Wanted, rows_of
from workflowexecution.views.wording import short

COLUMNS: Final[tuple[Column[Row], ...]] = (
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
NAMESPACE: Final[Column[Row]] = Column("NAMESPACE", lambda row: row.execution.namespace)


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
    found = await gather.list_executions(session, wanted)
    now = session.now()
    if period:
        wanted = dataclasses.replace(wanted, created_since=now - period)
    where = "any namespace" if session.all_namespaces else f"namespace {session.namespace}"
    hint = "" if session.all_namespaces else "; -A looks in all"
    session.printer.print_items(
        rows_of(map(parse_execution, found), wanted, now),
        (NAMESPACE, *COLUMNS) if session.all_namespaces else COLUMNS,
        name=lambda row: name_of_kind(row.execution.name),
        document=lambda row: row.execution.raw,
        empty=f"no such executions in {where}{hint}",
    )
    return None
