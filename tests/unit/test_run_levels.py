"""Nothing that proves something is run by nobody: what is in no run goes bad unseen."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import run_levels

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
LEVELS = {level for lane in run_levels.LANES for level in lane}
# Measured, recorded or run for hours, when a person wants that.
BY_HAND = {"bench", "record", "faults"}


def _verbs_that_test() -> dict[str, str]:
    """Verbs of the Makefile that run pytest on a folder, with that folder."""
    rules = re.findall(r"^([a-z0-9-]+):[^\n]*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    found = {
        verb: re.search(r"\$\(PYTEST\) tests/([a-z0-9]+)$", body, re.MULTILINE)
        for verb, body in rules
    }
    return {verb: match[1] for verb, match in found.items() if match}


def test_every_folder_with_tests_is_run_by_test_or_by_verify() -> None:
    tests = ROOT / "tests"
    folders = {path.relative_to(tests).parts[0] for path in tests.glob("**/test_*.py")}
    nightly = {folder for verb, folder in _verbs_that_test().items() if verb in run_levels.NIGHTLY}

    assert folders - LEVELS - nightly == set()


def test_every_verb_that_tests_is_in_a_run() -> None:
    assert set(_verbs_that_test()) - LEVELS - set(run_levels.NIGHTLY) - BY_HAND == set()


def test_every_verb_of_a_run_exists() -> None:
    verbs = set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))

    assert (LEVELS | set(run_levels.NIGHTLY)) - verbs == set()


def test_the_nightly_workflow_runs_verify() -> None:
    nightly = (ROOT / ".github/workflows/nightly.yaml").read_text()

    assert "schedule:" in nightly
    assert "make verify" in nightly


def test_the_table_for_contributors_names_each_verb_where_it_runs() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("which verb runs when:")[2]
    rows = [row.split("|")[1:-1] for row in table.splitlines() if row.startswith("| `make ")]
    told = {verb: row for row in rows for verb in re.findall(r"`make ([a-z0-9-]+)`", row[0])}

    assert {verb for verb, row in told.items() if row[1].strip() and row[2].strip()} == LEVELS | {
        "lint"
    }
    assert {verb for verb, row in told.items() if row[2].strip() and not row[1].strip()} == set(
        run_levels.NIGHTLY
    )
    assert set(told) >= BY_HAND


def test_tests_that_failed_are_named_again_at_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_levels, "failures", [])
    said = "FAILED tests/a.py::test_b - assert 1 == 2\n" + "what comes after\n" * 3
    passed = run_levels._run("unit", [sys.executable, "-c", f"print({said!r}); exit(1)"])
    run_levels._tell([run_levels.Result("unit", "failed")])

    assert not passed
    told = capsys.readouterr().out.rpartition("what comes after")[2]
    assert "unit: FAILED tests/a.py::test_b - assert 1 == 2" in told
