"""``top``: statistics of executions."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final

import typer

from workflowexecution.api.reading import parse_duration
from workflowexecution.cli.table import Column
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.names import is_on_target
from workflowexecution.plugin.commands.executions import nothing_found
from workflowexecution.plugin.parameters import OnlyTarget, OnlyWorkflow, Selector
from workflowexecution.plugin.requests import all_executions
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import Exit
from workflowexecution.views.executions import Activity, By, Group, Wanted, activity_of
from workflowexecution.views.wording import short

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


async def top(
    session: Session,
    target: OnlyTarget = "",
    workflow: OnlyWorkflow = "",
    labels: Selector = "",
    since: Annotated[str, typer.Option(help="How far back, e.g. 24h or 30m.")] = "1h",
    by: Annotated[By, typer.Option(help="What to sum up by.")] = By.WORKFLOW,
) -> Exit | None:
    """Sum up executions: rates, durations, skips and failures by reason."""
    period = parse_duration(since)
    if period <= timedelta(0):
        raise ValueError(f"--since {since!r} is no time in the past; write it like 24h or 30m")
    wanted = Wanted(target=target, workflow_id=workflow)
    read = map(parse_execution, await all_executions(session, wanted, labels))
    found = [execution for execution in read if is_on_target(execution.target, target)]
    activity = activity_of(found, by, period, session.now())
    if not activity.groups:
        session.printer.note(nothing_found(session))
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
