"""Results of scenarios: one JSON file for all, the newest result of each under its name."""

from __future__ import annotations

import fcntl
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

FILE = Path(__file__).parents[2] / "docs" / "reliability.json"
LONG = "WFE_FAULTS"


def is_long() -> bool:
    """Whether whole scenarios are asked for, and not the sample that `make test` runs."""
    return os.environ.get(LONG) == "long"


def this_machine() -> str:
    """The machine, as results name it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} CPUs, {memory:.0f} GiB, {platform.system()} {platform.machine()}"


def today() -> str:
    """The present day in UTC."""
    return datetime.now(UTC).date().isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """The result of one scenario.

    scenario: its name in `scenarios.SCENARIOS`.
    repetitions: schedules, or how often the story was played.
    executions: how many were created; 0 where a scenario is about something else.
    double_runs: pairs of runs that were unfinished on one target at once.
    lost: executions that did not end, or whose end is not reported.
    wrong_phases: executions whose status was wrong at any time, or not that of the fault-free run.
    recovery_s: seconds from the end of the faults until everything had ended, the longest; None
        where that means nothing.
    restarts: of the operator, those by the scenario itself not counted, the most in one repetition.
    duration_s: seconds that all of it took.
    note: what else was measured, in a few words.
    """

    scenario: str
    repetitions: int
    executions: int
    double_runs: int = 0
    lost: int = 0
    wrong_phases: int = 0
    recovery_s: float | None = None
    restarts: int = 0
    duration_s: float = 0.0
    note: str = ""
    date: str = field(default_factory=today)
    machine: str = field(default_factory=this_machine)


def record(result: ScenarioResult, file: Path = FILE) -> None:
    """Keep a result in place of the last one of the same scenario."""
    with _locked(file) as content:
        results = _parse(content.read())
        results[result.scenario] = result
        kept = {name: asdict(results[name]) for name in sorted(results)}
        content.seek(0)
        content.truncate()
        content.write(json.dumps(kept, indent=1) + "\n")


def load(file: Path = FILE) -> dict[str, ScenarioResult]:
    """All results that are kept, by scenario."""
    return _parse(file.read_text()) if file.exists() else {}


def _parse(text: str) -> dict[str, ScenarioResult]:
    found = json.loads(text) if text.strip() else {}
    return {name: ScenarioResult(**fields) for name, fields in found.items()}


@contextmanager
def _locked(file: Path) -> Iterator[TextIO]:
    """The file, opened for one process at a time: scenarios may run side by side."""
    with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o644), "r+") as content:
        fcntl.flock(content, fcntl.LOCK_EX)
        yield content
