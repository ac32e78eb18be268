"""The prose is plain English: no archaism, no riddle as a first line, no private word."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("banned_words.txt")
OPERATOR = ROOT / "operator" / "workflowexecution"
PACKAGES = sorted(path.parent.name for path in OPERATOR.glob("*/__init__.py"))
# "Whether" is right where the value is a yes or a no. "When" and "Where" are right in front of a
# main clause, so a comma has to follow.
_RIDDLE_IN_CODE = re.compile(
    r"(What|Whatever|How|Who|Whoever|Whom|Whose|Which|Why) |(When|Where) [^,.]*[.:;]"
)
_CODE = re.compile(r"^(?P<fence>```|~~~).*?^(?P=fence)$", re.DOTALL | re.MULTILINE)
_NOT_PROSE = re.compile(r"<!--.*?-->|`[^`\n]+`|\]\([^)\s]*\)|https?://\S+", re.DOTALL)
_RIDDLE = re.compile(r"^#.*\n+((?:What|How|Who|Whoever|Whether|Whose) [^\n]*)", re.MULTILINE)


def banned() -> dict[re.Pattern[str], str]:
    """The expressions of the list, and the words to use instead."""
    lines = [line for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    pairs = [line.split(" -> ", 1) for line in lines]
    return {re.compile(pattern, re.IGNORECASE): instead for pattern, instead in pairs}


def prose(page: str) -> str:
    """A page without its code, comments and the targets of its links; the lines stay."""

    def blank(found: re.Match[str]) -> str:
        return "\n" * found[0].count("\n") or "_"

    return _NOT_PROSE.sub(blank, _CODE.sub(blank, page))


def faults(page: str) -> list[str]:
    """Each use of a banned word, and each section that begins with a riddle."""
    text = prose(page)
    found = [
        f"line {text.count(chr(10), 0, use.start()) + 1}: {use[0]!r}; use: {instead}"
        for pattern, instead in banned().items()
        for use in pattern.finditer(text)
    ]
    return found + [f"begins with a question word: {line}" for line in _RIDDLE.findall(text)]


def pages() -> list[str]:
    """Every page of the documentation."""
    inside = sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md"))
    return ["README.md", "CONTRIBUTING.md", *inside]


@pytest.mark.parametrize("page", pages())
def test_a_page_is_plain_english(page: str) -> None:
    assert faults((ROOT / page).read_text()) == []


def docstrings_of(source: str) -> Iterator[str]:
    """All docstrings of a module."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, kinds):
            yield ast.get_docstring(node) or ""


def texts_of(source: str) -> Iterator[str]:
    """All docstrings and comments of a module."""
    yield from docstrings_of(source)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def faults_in_code(folder: Path) -> list[str]:
    """Each use of a banned word in the docstrings and comments of a folder."""
    return [
        f"{module.relative_to(ROOT)}: {fault}"
        for module in sorted(folder.rglob("*.py"))
        for text in texts_of(module.read_text())
        for fault in faults(text)
    ]


def riddles(source: str) -> list[str]:
    """Each docstring that begins with a question word instead of a subject."""
    return [text for text in docstrings_of(source) if _RIDDLE_IN_CODE.match(text)]


@pytest.mark.parametrize("package", PACKAGES)
def test_docstrings_and_comments_are_plain_english(package: str) -> None:
    assert faults_in_code(OPERATOR / package) == []


@pytest.mark.parametrize("root", ["hack", "examples"])
def test_those_of_tools_and_examples_are_plain_english(root: str) -> None:
    assert faults_in_code(ROOT / root) == []


@pytest.mark.parametrize("root", ["operator", "hack", "examples", "tests"])
def test_no_docstring_begins_with_a_question_word(root: str) -> None:
    found = {
        str(module.relative_to(ROOT)): begin
        for module in sorted((ROOT / root).rglob("*.py"))
        if (begin := riddles(module.read_text()))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is read anew.", 1),
        ("A failure\nof whoever asks.", 1),
        ("A failure is told.", 1),
        ("`anew`, and [a page](anew.md)", 0),
        ("```sh\nls anew\n```\n", 0),
        ("# Title\n\nWhat comes next", 1),
        ("# What comes next\n\nThe title may ask.", 0),
    ],
)
def test_the_check_finds_banned_words_in_prose_alone(text: str, expected: int) -> None:
    assert len(faults(text)) == expected


@pytest.mark.parametrize(
    ("docstring", "is_riddle"),
    [
        ("What comes next.", True),
        ("Which of them counts.", True),
        ("Where objects are: their namespace.", True),
        ("When it was seen.", True),
        ("Where no container can run, kwok plays the node.", False),
        ("Whether it has ended.", False),
        ("A run that ends frees its target.", False),
    ],
)
def test_the_check_finds_riddles_alone(docstring: str, is_riddle: bool) -> None:
    assert bool(riddles(f'def read():\n    """{docstring}"""\n')) is is_riddle
