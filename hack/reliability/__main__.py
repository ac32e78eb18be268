"""`make faults`: run the scenarios, one after the other, and write down their results."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from localcluster.progress import Meter, console, meter
from reliability import page
from reliability.results import FILE, LONG, load
from reliability.scenarios import SCENARIOS, Scenario

REPOSITORY = Path(__file__).resolve().parents[2]
TAIL_LINES = 80
_PERCENT = re.compile(r"\[ *(\d+)%\]$")


def main(names: Sequence[str]) -> int:
    """Run the scenarios of these names, all where none is given; 0 if all have passed."""
    chosen = [scenario for scenario in SCENARIOS if not names or scenario.name in names]
    if unknown := set(names) - {scenario.name for scenario in chosen}:
        known = ", ".join(scenario.name for scenario in SCENARIOS)
        console.print(f"[red]no scenario {', '.join(sorted(unknown))}[/]; there are: {known}")
        return 2
    failed = [scenario.name for scenario in chosen if not _passes(scenario)]
    page.write()
    _tell(chosen, failed)
    return 1 if failed else 0


def _passes(scenario: Scenario) -> bool:
    """Run one; its output is shown where it fails, or leaves no result."""
    began_at, tail = time.time(), deque[str](maxlen=TAIL_LINES)
    with meter(scenario.name) as shown:
        passed = _run(scenario, shown, tail) == 0
    if passed and _has_result(scenario, began_at):
        return True
    console.print("\n".join(tail), markup=False)
    console.print(f"[red]{scenario.name}: {'no result recorded' if passed else 'failed'}[/]")
    return False


def _run(scenario: Scenario, shown: Meter, tail: deque[str]) -> int:
    paths = os.pathsep.join(str(REPOSITORY / root) for root in ("hack", "tests", "tests/support"))
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-v", "--durations=5", *scenario.tests],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": paths, LONG: "long"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            tail.append(line.rstrip())
            if percent := _PERCENT.search(tail[-1]):
                shown.update(tail[-1].split(" ")[0], int(percent[1]), 100)
    return process.wait()


def _has_result(scenario: Scenario, since: float) -> bool:
    return scenario.name in load() and FILE.stat().st_mtime >= since


def _tell(chosen: Sequence[Scenario], failed: Sequence[str]) -> None:
    table = Table(title="what was tried", title_justify="left")
    columns = ("scenario", "repetitions", "executions", "double", "lost", "wrong", "recovery", "")
    for column in columns:
        table.add_column(column)
    results = load()
    for scenario in chosen:
        name, result = scenario.name, results.get(scenario.name)
        if name in failed or result is None:
            table.add_row(name, *[""] * 6, "[red]failed[/]")
            continue
        recovery = "" if result.recovery_s is None else f"{result.recovery_s:.1f} s"
        counts = (result.double_runs, result.lost, result.wrong_phases)
        numbers = (result.repetitions, result.executions, *counts)
        table.add_row(name, *map(str, numbers), recovery, "[green]passed[/]")
    console.print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
