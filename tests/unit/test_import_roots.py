"""Tools for people run without the tests, and no name of an import root hides another."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
TOOLS = ("hack", "examples")
TESTS = ("tests", "tests/support")
SOURCES = [path for root in TOOLS for path in sorted((REPOSITORY / root).rglob("*.py"))]


def _names(root: str) -> set[str]:
    """The modules and packages that can be imported from a root."""
    folder = REPOSITORY / root
    packages = {path.relative_to(folder).parts[0] for path in folder.glob("*/**/*.py")}
    return packages | {path.stem for path in folder.glob("*.py")}


def _imported(source: str) -> Iterator[str]:
    """The first part of every name that a module imports, at its top or later."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_tool_imports_nothing_of_the_tests(path: Path) -> None:
    of_tests = {"tests"}.union(*map(_names, TESTS))

    assert of_tests.intersection(_imported(path.read_text())) == set()


def test_no_two_roots_have_a_name_in_common() -> None:
    names = Counter(name for root in (*TOOLS, *TESTS) for name in _names(root))

    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("root", TOOLS)
def test_no_tool_hides_what_others_have_made(root: str) -> None:
    names = _names(root)

    assert names
    assert names.isdisjoint(sys.stdlib_module_names)
    assert names.isdisjoint(packages_distributions())


@pytest.mark.parametrize("root", [*TOOLS, *TESTS])
def test_a_root_is_no_package(root: str) -> None:
    assert not (REPOSITORY / root / "__init__.py").exists()
