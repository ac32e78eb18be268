"""Table and pictures in docs/performance.md, made from the results that are kept beside it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.targets import TARGETS

FILE = Path(__file__).parents[2] / "docs" / "performance.json"
PAGE = FILE.with_suffix(".md")
BEGIN = "<!-- results: written by `make bench KEEP=1`, from performance.json -->"
END = "<!-- end of results -->"
HEAD = "| What | Median | Least | Most | Runs | Target | Reached |\n|---|--:|--:|--:|--:|--:|---|"

Kept = dict[str, Any]


def keep(results: Path, file: Path = FILE) -> None:
    """Keep what was measured, and its pictures, in place of what is kept of the same numbers."""
    new: Kept = json.loads(results.read_text())
    old: Kept = json.loads(file.read_text()) if file.exists() else {"measured": {}}
    kept = {"about": new["about"], "measured": old["measured"] | new["measured"]}
    file.write_text(json.dumps(kept, indent=1) + "\n")
    # A picture in the folder may be of an earlier measurement.
    for workload in {key.partition(".")[0] for key in new["measured"]}:
        drawn = results.parent / f"{workload}.svg"
        if drawn.exists():
            shutil.copy(drawn, file.parent / "images" / f"performance-{workload}.svg")


def table(measured: Mapping[str, Mapping[str, Any]]) -> str:
    """All numbers that have a target, as Markdown, in the order of the targets."""
    return "\n".join([HEAD, *(_row(key, measured.get(key, {})) for key in TARGETS)])


def with_results(text: str, measured: Mapping[str, Mapping[str, Any]]) -> str:
    """The page with its table made anew. Raises: ValueError where it has no place for one."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} … {END} in the page")
    return f"{before}{BEGIN}\n\n{table(measured)}\n\n{END}{after}"


def write(page: Path = PAGE, file: Path = FILE) -> None:
    """Write the page."""
    page.write_text(with_results(page.read_text(), json.loads(file.read_text())["measured"]))


def _row(key: str, one: Mapping[str, Any]) -> str:
    target = TARGETS[key]
    median = one.get("median")
    if median is None:
        return f"| `{key}` | | | | | {target} | not measured |"
    reached = "yes" if target.is_reached(median) else "**no**"
    numbers = [f"{one[part]:.3g}" for part in ("median", "low", "high")]
    return f"| `{key}` | {' | '.join(numbers)} | {one['runs']} | {target} | {reached} |"
