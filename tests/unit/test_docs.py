"""The documentation is true: links lead somewhere, pages made from code are up to date."""

import re
from pathlib import Path

import pytest

from docs import cli, holds, metrics, reasons
from workflowexecution.core.decision import CHECKS

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path for path in ROOT.rglob("*.md") if not any(part.startswith(".") for part in path.parts[1:])
)
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


def test_the_page_of_reasons_is_what_the_code_says() -> None:
    assert reasons.PAGE.read_text() == reasons.page()


def test_the_page_of_holds_is_what_the_definition_says() -> None:
    assert holds.PAGE.read_text() == holds.page()


def test_the_page_of_commands_is_what_the_code_says() -> None:
    assert cli.PAGE.read_text() == cli.page()


def test_the_page_of_metrics_is_what_the_code_says() -> None:
    assert metrics.PAGE.read_text() == metrics.page()


def test_the_readme_names_its_two_commands_on_its_first_screen() -> None:
    first = "\n".join((ROOT / "README.md").read_text().splitlines()[:24])
    assert "make demo" in first
    assert "make test" in first


def test_the_concepts_list_the_checks_in_the_order_of_the_code() -> None:
    """One numbered line for each check, told apart by a word that only it has."""
    words = {
        "_has_an_old_finalizer": "finalizer of an earlier controller",
        "_has_ended": "nothing is done",
        "_has_outlasted_its_time_limit": "past its time limit",
        "_has_lost_its_run": "was deleted by somebody",
        "_has_its_run": "the status follows the run",
        "_has_a_run_nobody_has_seen": "has not seen",
        "_is_being_deleted": "being deleted",
        "_cannot_be_run": "cannot be run",
        "_target_is_busy": "`ResourceBusy`",
        "_failed_at_work_before": "`PreviousExecutionFailed`",
        "_has_no_retries_left": "`ExhaustedRetries`",
        "_target_is_cooling_down": "`RecentlyRemediated`",
        "_is_held": "A person holds",
    }
    text = (ROOT / "docs" / "concepts.md").read_text()
    section = text.partition("## How it is decided")[2].partition("\n## ")[0]
    lines = re.findall(r"^[0-9]+\. (.*(?:\n   .*)*)", section, re.MULTILINE)
    assert [check.__name__ for check in CHECKS] == list(words)
    assert len(lines) == len(CHECKS)
    for line, word in zip(lines, words.values(), strict=True):
        assert word in line
