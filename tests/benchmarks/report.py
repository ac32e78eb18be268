"""Shows the results: a table for people, JSON for programs, lines as they come."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.distribution import Spread, spread
from benchmarks.targets import TARGETS
from benchmarks.workloads import Result


def collect(name: str, results: Sequence[Result]) -> dict[str, Spread]:
    """Median and extremes of every number over several runs of a workload, as `NAME.KEY`."""
    keys = dict.fromkeys(key for result in results for key in result.values)
    return {
        f"{name}.{key}": spread([result.values.get(key, math.nan) for result in results])
        for key in keys
    }


def table_of(title: str, measured: Mapping[str, Spread], *, all_of_them: bool = True) -> Table:
    """Numbers by full key, those with a target marked reached or not; or only those."""
    table = Table(title=title, title_justify="left", pad_edge=False)
    table.add_column("what", no_wrap=True)
    for heading in ("median", "least", "most", "target"):
        table.add_column(heading, justify="right")
    table.add_column("reached")
    for key, value in measured.items():
        if all_of_them or key in TARGETS:
            shown = map(_shown, (value.median, value.low, value.high))
            table.add_row(key, *shown, *_verdict(key, value))
    return table


def save(path: Path, measured: Mapping[str, Spread], about: dict[str, Any]) -> None:
    """Write everything as JSON; what was not measured is null."""
    numbers = {key: _number(key, one) for key, one in measured.items()}
    path.write_text(json.dumps({"about": about, "measured": numbers}, indent=1) + "\n")


def _number(key: str, value: Spread) -> dict[str, Any]:
    parts: dict[str, Any] = {part: _json(number) for part, number in asdict(value).items()}
    if key not in TARGETS:
        return parts
    target = TARGETS[key]
    return {**parts, "target": str(target), "reached": target.is_reached(value.median)}


def _verdict(key: str, value: Spread) -> tuple[str, str]:
    if key not in TARGETS:
        return "", ""
    is_reached = TARGETS[key].is_reached(value.median)
    return str(TARGETS[key]), "[green]yes[/]" if is_reached else "[bold red]no[/]"


def _json(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def _shown(value: float) -> str:
    if math.isnan(value):
        return "-"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}"
