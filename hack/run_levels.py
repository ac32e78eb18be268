"""`make test` and `make verify`: run every level that this machine allows, and say which ran."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from rich.table import Table

from localcluster import Tier, machine
from localcluster.progress import console

REPOSITORY = Path(__file__).resolve().parents[1]
# For what a test starts as a process of its own.
PATHS = os.pathsep.join(str(REPOSITORY / root) for root in ("hack", "tests", "tests/support"))
BIN = Path(sys.executable).parent
LINT = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy", "operator", "tests", "hack", "examples"),
    ("lint-imports",),
)
# Side by side: each mostly waits, for a cluster of its own. A real node is there once at a time.
LANES = (
    ("unit", "property", "integration", "observability", "pythons"),
    ("faults", "e2e", "field", "incluster"),
)
# What takes long, or packages that nothing else needs: `make verify` and the nightly run add these.
NIGHTLY = ("docs-site", "page-e2e", "bundles-e2e", "docs-walk")
ON_A_NODE = ("e2e", "incluster")
MEASURED = REPOSITORY / "build" / "coverage"
PACKAGE_PERCENT, CORE_PERCENT = "90", "100"
# pytest's own line on each test that failed; told again at the end, as far more comes between.
FAILURE_LINES = ("FAILED ", "ERROR ")
failures: list[str] = []


@dataclass(frozen=True)
class Result:
    """The result of one level: `passed`, `failed`, or `not run` with a reason."""

    level: str
    outcome: str
    seconds: float = 0.0
    note: str = ""


def main(arguments: Sequence[str] = ()) -> int:
    """Run the levels, with `--all` the nightly verbs too; returns 0 if nothing has failed."""
    shutil.rmtree(MEASURED, ignore_errors=True)
    MEASURED.mkdir(parents=True)
    is_all = "--all" in arguments
    if is_all:
        os.environ["WFE_PYTHONS"] = "all"
    results = [_timed("lint", _lint)]
    with ThreadPoolExecutor(len(LANES)) as lanes:
        for done in lanes.map(lambda levels: [_level(level) for level in levels], LANES):
            results += done
    results.append(_timed("coverage", _coverage))
    if is_all:
        results += [_verb(verb) for verb in NIGHTLY]
    _tell(results)
    return 1 if any(result.outcome == "failed" for result in results) else 0


def _level(level: str) -> Result:
    if level in ON_A_NODE and (reason := _why_no_node()):
        return Result(level, "not run", note=reason)
    return _timed(level, lambda: _pytest(level))


def _verb(verb: str) -> Result:
    return _timed(verb, lambda: _run(verb, ["make", verb]))


def _why_no_node() -> str:
    if machine.tier_to_test(Tier.NODE) is Tier.NODE:
        return ""
    return machine.why_no_node() or f"packages missing: {' '.join(machine.missing_packages())}"


def _timed(name: str, work: Callable[[], bool]) -> Result:
    console.print(f"{name} …")
    started = time.monotonic()
    outcome = "passed" if work() else "failed"
    return Result(name, outcome, time.monotonic() - started)


def _lint() -> bool:
    return all([_run("lint", [str(BIN / command[0]), *command[1:]]) for command in LINT])


def _pytest(level: str) -> bool:
    return _run(
        level,
        [sys.executable, "-m", "pytest", f"tests/{level}", "--cov", "--cov-report="],
        # Each level sums up its own processes; those of another may still run.
        {"COVERAGE_FILE": str(MEASURED / level)},
    )


def _coverage() -> bool:
    """Hold the package and its core to their floors, over all levels together."""
    coverage = [sys.executable, "-m", "coverage"]
    core = ["--include=*/workflowexecution/core/*", f"--fail-under={CORE_PERCENT}"]
    return all(
        [
            _run("coverage", [*coverage, "combine", "--quiet", *map(str, MEASURED.iterdir())]),
            _run("coverage", [*coverage, "report", f"--fail-under={PACKAGE_PERCENT}"]),
            _run("coverage", [*coverage, "report", *core]),
        ]
    )


def _run(name: str, command: Sequence[str], more: Mapping[str, str] = MappingProxyType({})) -> bool:
    """Run a command; every line of its output gets a name, because two may run at once."""
    process = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": PATHS, **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            print(f"{name:<13} {line}", end="", flush=True)
            if line.startswith(FAILURE_LINES):
                failures.append(f"{name}: {line.rstrip()}")
    return process.wait() == 0


def _tell(results: Sequence[Result]) -> None:
    table = Table(title="what ran", title_justify="left")
    for column in ("level", "outcome", "seconds", ""):
        table.add_column(column)
    colours = {"passed": "green", "failed": "red"}
    for result in results:
        colour = colours.get(result.outcome, "yellow")
        seconds = f"{result.seconds:.0f}" if result.seconds else ""
        table.add_row(result.level, f"[{colour}]{result.outcome}[/]", seconds, result.note)
    console.print(table)
    for failure in failures:
        print(failure)
    passed = sum(result.outcome == "passed" for result in results)
    failed = sum(result.outcome == "failed" for result in results)
    print(f"levels: {passed} passed, {failed} failed, {len(results) - passed - failed} skipped")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
