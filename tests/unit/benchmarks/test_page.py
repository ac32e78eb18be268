"""The table of what was measured: complete, with what was not reached said plainly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import page
from benchmarks.targets import TARGETS

KEY = "cold.idle.rss_mb"


def one(median: float) -> dict[str, float]:
    return {"median": median, "low": median, "high": median, "runs": 5}


@pytest.mark.parametrize(("median", "said"), [(61.0, "yes"), (99.0, "**no**")])
def test_a_number_is_told_with_its_target(median: float, said: str) -> None:
    (row,) = [line for line in page.table({KEY: one(median)}).splitlines() if KEY in line]
    assert row.endswith(f"| ≤ 75 | {said} |")


def test_what_was_not_measured_is_told_too() -> None:
    lines = page.table({}).splitlines()[2:]
    assert len(lines) == len(TARGETS)
    assert all(line.endswith("| not measured |") for line in lines)


def test_new_results_replace_those_of_the_same_numbers(tmp_path: Path) -> None:
    kept, new = tmp_path / "kept.json", tmp_path / "new.json"
    kept.write_text(json.dumps({"about": {}, "measured": {"a": one(1), "b": one(2)}}))
    new.write_text(json.dumps({"about": {"runs": 5}, "measured": {"b": one(3)}}))
    page.keep(new, kept)
    assert json.loads(kept.read_text()) == {
        "about": {"runs": 5},
        "measured": {"a": one(1), "b": one(3)},
    }


def test_a_page_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match="in the page"):
        page.with_results("# Performance", {})


def test_pictures_are_kept_of_what_was_measured_alone(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    kept, new = tmp_path / "kept.json", tmp_path / "new.json"
    new.write_text(json.dumps({"about": {}, "measured": {"burst.300.to_f1": one(1)}}))
    for name in ("burst", "cold"):
        (tmp_path / f"{name}.svg").write_text(name)
    page.keep(new, kept)
    (image,) = (tmp_path / "images").iterdir()
    assert (image.name, image.read_text()) == ("performance-burst.svg", "burst")
