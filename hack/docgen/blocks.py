"""The shell blocks of the documentation: which ones a test pastes, and what the others need.

A comment stands on the line before each block that has commands:

    <!-- run -->                   pasted by `make docs-walk`, page by page, in order
    <!-- run: exits with 11 -->    the same, where a status other than 0 is what is shown
    <!-- run: soon -->             repeated until it ends so: what it needs takes a moment
    <!-- run by: tests/… -->       another test runs these very commands
    <!-- needs: a mail server -->  not run: what a reader must have that the tests have not

A block in the language `console` shows commands after `$ ` and what they printed; where it is run,
what is printed is compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHELLS = ("sh", "bash", "shell", "console")
_MARK = re.compile(r"<!-- (?P<kind>run by|run|needs)(: (?P<note>[^>]+))? -->")
_EXIT = re.compile(r"exits with (\d+)")
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a page.

    kind: `run`, `run by`, `needs`, or empty where nothing is said. start, end: where its text
    stands in the page. status: the exit status that its commands are to end with.
    """

    page: Path
    line: int
    language: str
    text: str
    kind: str
    note: str
    start: int
    end: int

    @property
    def status(self) -> int:
        """The exit status that it is to end with."""
        found = _EXIT.search(self.note) if self.kind == "run" else None
        return int(found[1]) if found else 0

    @property
    def is_soon(self) -> bool:
        """Whether it may take a moment until it ends so."""
        return self.kind == "run" and "soon" in self.note

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every page that people read: of the repository, not of what was put beside it."""
    places = ("*.md", "docs/**/*.md", "tekton/**/*.md", "manifests/**/*.md")
    return sorted(page for place in places for page in ROOT.glob(place))


def shell_blocks(page: Path) -> list[Block]:
    """The blocks of a page that have commands, in order."""
    return [block for block in _blocks(page) if block.language in SHELLS]


def blocks_to_run(page: Path) -> list[Block]:
    """Those that are pasted, in order."""
    return [block for block in shell_blocks(page) if block.kind == "run"]


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in _FENCE.finditer(text):
        before = text[: found.start()].rstrip("\n").rpartition("\n")[2].strip()
        mark = _MARK.fullmatch(before)
        yield Block(
            page=page,
            line=text.count("\n", 0, found.start()) + 1,
            language=found["language"],
            text=found["text"],
            kind=mark["kind"] if mark else "",
            note=(mark["note"] or "").strip() if mark else "",
            start=found.start("text"),
            end=found.end("text"),
        )
