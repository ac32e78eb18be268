"""Results of scenarios are kept by name, and the page shows what is kept."""

import re
from pathlib import Path

import pytest

from reliability import page
from reliability.results import ScenarioResult, load, record
from reliability.scenarios import SCENARIOS

ROOT = Path(__file__).parents[3]


def result(**fields: object) -> ScenarioResult:
    given = {"scenario": "one", "repetitions": 3, "executions": 1200, **fields}
    return ScenarioResult(**given)  # type: ignore[arg-type]


def test_the_newest_result_of_a_scenario_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    assert load(file) == {}
    record(result(lost=1), file)
    record(result(scenario="two"), file)
    record(result(), file)
    assert load(file) == {"one": result(), "two": result(scenario="two")}


def test_a_shorter_result_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    record(result(note="n" * 500), file)
    record(result(), file)
    assert load(file) == {"one": result()}


def test_a_row_gives_every_number() -> None:
    shown = page._row(
        "what is tried",
        result(
            double_runs=1,
            lost=2,
            wrong_phases=4,
            recovery_s=5.25,
            restarts=6,
            note="seen",
            date="2026-01-02",
            machine="2 CPUs",
        ),
    )
    assert shown == (
        "| what is tried; seen | 3 | 1,200 | 1 | 2 | 4 | 5.2 s | 6 | 2026-01-02 | 2 CPUs |"
    )


def test_the_table_is_put_in_its_place_however_often() -> None:
    text = f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n"
    once = page.with_results(text, {})
    assert once == f"before\n{page.BEGIN}\n\n{page.table({})}\n\n{page.END}\nafter\n"
    assert page.with_results(once, {}) == once


def test_a_page_without_a_place_for_the_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="no <!-- results"):
        page.with_results("nothing", {})


def test_the_page_shows_the_results_that_are_kept() -> None:
    text = page.PAGE.read_text()
    assert page.with_results(text, load()) == text


def test_every_result_is_of_a_scenario() -> None:
    assert set(load()) <= {scenario.name for scenario in SCENARIOS}


def test_scenarios_have_names_of_their_own_and_tests_that_exist() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names)
    for scenario in SCENARIOS:
        assert re.fullmatch(r"[a-z0-9-]+", scenario.name)
        assert (ROOT / scenario.tests[0].partition("::")[0]).exists()
