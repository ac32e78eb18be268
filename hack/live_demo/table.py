"""The live table: one row for each execution, told as `kubectl` would tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from live_demo.stage import Stage
from live_demo.story import ACTS

COLOURS = {"Completed": "green", "Failed": "red", "Skipped": "yellow", "Running": "cyan"}


def table_of(stage: Stage, title: str) -> Table:
    """Build the table of what was last seen."""
    table = Table(title=title, title_justify="left", expand=False)
    for column in ("execution", "workflow", "target", "phase", "what happened", "took"):
        table.add_column(column, no_wrap=column in ("execution", "phase", "took"))
    for act in ACTS:
        status = stage.status(act.name)
        phase = str(status.get("phase", "")) or ("created" if stage.exists(act.name) else "")
        colour = COLOURS.get(phase, "dim")
        table.add_row(
            act.name,
            act.workflow,
            act.target,
            f"[{colour}]{phase}[/]",
            _happened(status),
            str(status.get("duration", "")),
            style=None if stage.exists(act.name) else "dim",
        )
    return table


def _happened(status: Mapping[str, Any]) -> str:
    if skip := status.get("skipDetails"):
        if holder := skip.get("conflictingWorkflow"):
            return f"{skip['reason']}: held by {holder['name']}"
        remaining = skip["recentRemediation"]["cooldownRemaining"]
        return f"{skip['reason']}: may run again in {remaining}"
    if failure := status.get("failureDetails"):
        if "failedStepName" not in failure:
            return f"{failure['reason']}: {failure['message']}"
        return (
            f"{failure['reason']}: task {failure['failedTaskName']}, "
            f"step {failure['failedStepName']}, exit code {failure.get('exitCode')}"
        )
    run = status.get("pipelineRunStatus", {})
    if "totalTasks" in run:
        return f"{run.get('completedTasks', 0)} of {run['totalTasks']} tasks done"
    return str(run.get("reason", ""))
