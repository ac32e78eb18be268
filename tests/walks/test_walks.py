"""Every page with commands, pasted in order: from an empty machine to one that is clean again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from docgen.blocks import ROOT, Block, blocks_to_run, pages
from walks.paste import Terminal, terminal
from walks.walk import walk

QUICK_START = ROOT / "docs" / "quick-start.md"
UNINSTALL = ROOT / "docs" / "how-to" / "uninstall.md"
ELSEWHERE = (ROOT / "README.md", ROOT / "docs" / "reading-a-status.md")
OTHERS = [
    page
    for page in pages()
    if page not in (QUICK_START, UNINSTALL, *ELSEWHERE) and blocks_to_run(page)
]


@pytest.fixture(scope="module")
def first(own: Mapping[str, str]) -> Iterator[Terminal]:
    """The terminal in which the quick start is pasted."""
    with terminal(ROOT, own) as opened:
        yield opened


def test_the_quick_start(first: Terminal) -> None:
    walk(first, QUICK_START, blocks=_until("## 7"))


@pytest.mark.parametrize("page", [*OTHERS, UNINSTALL], ids=lambda page: page.stem)
def test_a_page_on_the_cluster_of_the_quick_start(
    page: Path, first: Terminal, own: Mapping[str, str]
) -> None:
    with terminal(ROOT, own) as opened:
        opened.paste('eval "$(make -s cluster-env)"')
        walk(opened, page)


def test_the_end_of_the_quick_start(first: Terminal) -> None:
    head = {block.line for block in _until("## 7")}
    rest = [block for block in blocks_to_run(QUICK_START) if block.line not in head]
    walk(first, QUICK_START, blocks=rest)


def _until(heading: str) -> list[Block]:
    """The blocks of the quick start before a heading."""
    end = QUICK_START.read_text().index(f"\n{heading}")
    return [block for block in blocks_to_run(QUICK_START) if block.start < end]
