"""``top``: how much is launched, skipped and failed, and how long runs take."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final

import typer

from workflowexecution.api.duration import parse_duration
from workflowexecution.core.facts.execution import parse_execution
from workflowexecution.plugin import gather
from workflowexecution.plugin.commands.parameters import OnlyTarget, OnlyWorkflow
from workflowexecution.plugin.exits import Exit
from workflowexecution.plugin.rendering import Column, Output
from workflowexecution.plugin.session import Session
from workflowexecution.views.executions import Activity, By, Group, Wanted, activity_of
from workflowexecution.views.wording import short

_COLUMNS: Final[tuple[Column[Group], ...]] = (
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
    found = await gather.list_executions(session, wanted)
    activity = activity_of(map(parse_execution, found), by, period, session.now())
    if session.printer.output in (Output.TABLE, Output.WIDE):
        _print(session, activity, by)
    else:
        names = "\n".join(group.name for group in activity.groups)
        session.printer.print_answer(activity, names, "")
    return None


def _print(session: Session, activity: Activity, by: By) -> None:
    name: Column[Group] = Column(by.value.upper(), lambda group: group.name)
    total = [activity.total] if len(activity.groups) > 1 else []
    session.printer.print_table([*activity.groups, *total], (name, *_COLUMNS))
    for title, reasons in (("Skips", activity.skips), ("Failures", activity.failures)):
        session.printer.say(f"{title}: {_told(reasons)}")
    session.printer.note("of executions that still exist; the operator's metrics count all")


def _told(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in reasons.items()) or "none"
