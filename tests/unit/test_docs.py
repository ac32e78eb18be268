"""The documentation is true: links lead somewhere, pages made from code are up to date."""

import re
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest
import yaml

from docgen import diagrams, events, made
from docgen.blocks import pages
from workflowexecution.api.spec import WorkflowExecutionSpec
from workflowexecution.core.decision import CHECKS

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("module", made.modules(), ids=lambda module: str(module.__name__))
def test_a_page_made_from_the_code_is_what_the_code_says(module: ModuleType) -> None:
    assert module.PAGE.read_text() == module.page(), "run `make docs`"


@pytest.mark.parametrize("name", diagrams.PICTURES)
def test_a_picture_is_what_its_source_draws(name: str) -> None:
    picture = (diagrams.FOLDER / f"{name}.svg").read_text()
    assert picture == diagrams.PICTURES[name](), "run `make docs`"
    assert ElementTree.fromstring(picture).tag.endswith("svg")


def test_every_event_that_the_code_names_has_words() -> None:
    assert events.reasons() == set(events.MEANINGS)


def test_the_readme_begins_with_what_a_newcomer_looks_for() -> None:
    first = "\n".join((ROOT / "README.md").read_text().splitlines()[:50])
    for wanted in (
        "![How it is decided",
        "kind: WorkflowExecution",
        "make demo",
        "make test",
        "helm install workflowexecution manifests/chart",
    ):
        assert wanted in first


def test_the_execution_in_the_readme_is_valid() -> None:
    text = (ROOT / "README.md").read_text()
    (shown,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    WorkflowExecutionSpec.model_validate(yaml.safe_load(shown)["spec"])


def test_the_picture_of_the_decision_asks_in_the_order_of_the_code() -> None:
    """The checks that people ask about; the others are about the operator's own work."""
    asked = {
        "Does it have a run already?": "_has_its_run",
        "Is its spec invalid?": "_cannot_be_run",
        "Is another run on the target unfinished?": "_target_is_busy",
        "Did the same workflow end there less than 5 minutes ago?": "_target_is_cooling_down",
        "Does a person hold new launches?": "_is_held",
    }
    questions = [question.replace("\n", " ") for question, _, _ in diagrams.QUESTIONS]
    assert questions == list(asked)
    order = [check.__name__ for check in CHECKS]
    assert sorted(asked.values(), key=order.index) == list(asked.values())


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


def test_the_architecture_names_modules_that_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"`([a-z_]+/[a-z_/]+\.py)`", text))
    package = ROOT / "operator" / "workflowexecution"
    assert len(named) >= 10
    assert [name for name in sorted(named) if not (package / name).is_file()] == []


def test_the_architecture_names_the_modules_of_its_classes_and_functions() -> None:
    text = " ".join((ROOT / "docs" / "architecture.md").read_text().split())
    package = ROOT / "operator" / "workflowexecution"
    pairs = re.findall(r"`([A-Za-z]+)[a-z_.]*`(?: [a-z ]+)? \(`([a-z_]+/[a-z_/]+\.py)`\)", text)
    assert len(pairs) >= 8
    assert [
        (name, module)
        for name, module in pairs
        if not re.search(rf"^(class|def) {name}\b", (package / module).read_text(), re.MULTILINE)
    ] == []


def test_the_glossary_is_short_and_in_order() -> None:
    text = (ROOT / "docs" / "reference" / "glossary.md").read_text()
    words = re.findall(r"^\*\*([^*]+)\*\*:", text, re.MULTILINE)
    assert words == sorted(words, key=str.lower)
    assert 10 < len(words) <= 25
