"""What was measured: a table for people, JSON for machines, lines as they come."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.distribution import Spread, spread
from benchmarks.targets import TARGETS
from benchmarks.workloads import Result


def collect(results: list[Result]) -> dict[str, Spread]:
    """Median and extremes of every number over several runs of one workload."""
    keys = dict.fromkeys(key for result in results for key in result.values)
    return {key: spread([result.values.get(key, math.nan) for result in results]) for key in keys}


def table_of(name: str, measured: dict[str, Spread]) -> Table:
    """All numbers of a workload, those with a target marked reached or not."""
    table = Table(title=name, title_justify="left", pad_edge=False)
    table.add_column("what")
    for heading in ("median", "least", "most", "target"):
        table.add_column(heading, justify="right")
    table.add_column("reached")
    for key, value in measured.items():
        table.add_row(
            key, *map(_shown, (value.median, value.low, value.high)), *_verdict(name, key, value)
        )
    return table


def summary_of(measured: dict[str, dict[str, Spread]]) -> Table:
    """Every number that has a target, of all workloads that were played."""
    table = Table(title="targets", title_justify="left", pad_edge=False)
    table.add_column("what")
    for heading in ("median", "least", "most", "target"):
        table.add_column(heading, justify="right")
    table.add_column("reached")
    for name, numbers in measured.items():
        for key, value in numbers.items():
            if f"{name}.{key}" in TARGETS:
                shown = map(_shown, (value.median, value.low, value.high))
                table.add_row(f"{name}.{key}", *shown, *_verdict(name, key, value))
    return table


def save(path: Path, measured: dict[str, dict[str, Spread]], about: dict[str, Any]) -> None:
    """Write everything as JSON; what was not measured is null."""
    content = {
        "about": about,
        "measured": {
            f"{name}.{key}": {
                **{part: _json(value) for part, value in asdict(one).items()},
                **_target(name, key, one),
            }
            for name, numbers in measured.items()
            for key, one in numbers.items()
        },
    }
    path.write_text(json.dumps(content, indent=1) + "\n")


def _target(name: str, key: str, value: Spread) -> dict[str, Any]:
    target = TARGETS.get(f"{name}.{key}")
    if target is None:
        return {}
    return {"target": str(target), "reached": target.is_reached(value.median)}


def _verdict(name: str, key: str, value: Spread) -> tuple[str, str]:
    found = _target(name, key, value)
    if not found:
        return "", ""
    return found["target"], "[green]yes[/]" if found["reached"] else "[bold red]no[/]"


def _json(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def _shown(value: float) -> str:
    if math.isnan(value):
        return "-"
    if value == int(value):
        return f"{value:.0f}"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
