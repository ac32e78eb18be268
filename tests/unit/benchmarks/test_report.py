"""Several runs become one line each, held against its target; nothing is hidden."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.targets import TARGETS, Target
from benchmarks.workloads import Result


@pytest.mark.parametrize(
    ("target", "value", "is_reached", "shown"),
    [
        (Target(least=0.8), 0.8, True, "≥ 0.8"),
        (Target(least=0.8), 0.79, False, "≥ 0.8"),
        (Target(most=6), 6.1, False, "≤ 6"),
        (Target(0, 0), 0, True, "= 0"),
        (Target(0, 0), 1, False, "= 0"),
        (Target(0.85, 1.15), 1.0, True, "0.85 to 1.15"),
        (Target(0.85, 1.15), 1.2, False, "0.85 to 1.15"),
        (Target(most=6), math.nan, False, "≤ 6"),
    ],
)
def test_a_target_is_reached_or_not(
    target: Target, value: float, is_reached: bool, shown: str
) -> None:
    assert target.is_reached(value) is is_reached
    assert str(target) == shown


def test_every_run_counts_in_the_median() -> None:
    results = [Result({"to_f1": value}) for value in (0.5, 0.9, 0.7)]
    measured = report.collect("burst.300", results)
    assert measured["burst.300.to_f1"].median == 0.7
    assert measured["burst.300.to_f1"].high == 0.9


def test_what_was_measured_is_saved_with_its_target(tmp_path: Path) -> None:
    results = [Result({"300.to_f1": value, "300.other": math.nan}) for value in (0.1, 0.2, 0.9)]
    path = tmp_path / "results.json"
    report.save(path, report.collect("burst", results), {"cpus": 2})
    saved = json.loads(path.read_text())
    assert saved["about"] == {"cpus": 2}
    assert saved["measured"]["burst.300.to_f1"]["reached"] is False
    assert saved["measured"]["burst.300.other"]["median"] is None


def test_the_summary_shows_every_target_that_was_played_for() -> None:
    measured = report.collect("burst", [Result({"300.to_f1": 0.1, "300.rss_mb": 80.0})])
    assert report.table_of("all", measured).row_count == 2
    assert report.table_of("targets", measured, all_of_them=False).row_count == 1


def test_no_target_is_impossible() -> None:
    assert all(target.least <= target.most for target in TARGETS.values())
