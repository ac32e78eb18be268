"""Each promise of the pages about security is attacked by tests that exist.

A comment after a promise, or after its paragraph or table, names them:
`<!-- attacked by: tests/integration/test_x.py::test_name, … -->`.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs/security.md", ROOT / "docs/how-to/status-page.md"]
# These promise nothing of their own, or what is true by Kubernetes and Tekton alone.
WITHOUT = {
    "Security",
    "Who can do what",
    "How to confine it",
    "A user with `edit` in the execution namespace",
    "Turn it off",
}
_COMMENT = re.compile(r"<!-- attacked by:(.*?)-->", re.DOTALL)
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
# A section begins with a heading, and what is said of one party with its name.
_BEGINS = re.compile(r"^(?:#+ (.+)|\*\*([^*]+)\*\*.*)$", re.MULTILINE)


def parts_of(text: str) -> dict[str, str]:
    """The text under each heading, and after the name of each party."""
    text = _FENCE.sub("", text)
    begins = list(_BEGINS.finditer(text))
    ends = [found.start() for found in begins[1:]] + [len(text)]
    return {
        found[1] or found[2]: text[found.end() : end]
        for found, end in zip(begins, ends, strict=True)
    }


def named_in(text: str) -> list[str]:
    """The tests that are named, each as `FILE::FUNCTION`."""
    return [one.strip() for named in _COMMENT.findall(text) for one in named.split(",")]


def is_there(test: str) -> bool:
    """Whether a file has this test."""
    name, _, function = test.partition("::")
    path = ROOT / name
    is_test = function.startswith("test_") and path.is_file()
    return is_test and bool(
        re.search(rf"^(?:async )?def {re.escape(function)}\(", path.read_text(), re.MULTILINE)
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_test_that_is_named_is_there(page: Path) -> None:
    named = named_in(page.read_text())
    assert len(named) >= 20
    assert [test for test in named if not is_there(test)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_part_that_promises_something_is_attacked(page: Path) -> None:
    parts = parts_of(page.read_text())
    assert [
        name for name, text in parts.items() if name not in WITHOUT and not named_in(text)
    ] == []


def test_every_exception_is_a_part() -> None:
    parts = {name for page in PAGES for name in parts_of(page.read_text())}
    assert parts >= WITHOUT


def test_what_is_missing_is_found() -> None:
    parts = parts_of(
        "## One\n<!-- attacked by: a.py::test_a,\nb.py::test_b -->\n## Two\n**Eve** x\n"
    )
    assert {name: named_in(text) for name, text in parts.items()} == {
        "One": ["a.py::test_a", "b.py::test_b"],
        "Two": [],
        "Eve": [],
    }
    own = "tests/unit/test_promises.py::"
    assert is_there(f"{own}test_what_is_missing_is_found")
    for test in (f"{own}test_nothing", f"{own}is_there", "tests/unit/none.py::test_x", own[:-2]):
        assert not is_there(test)
