"""Pasting a page: every block that is to be run, in order, and what is printed compared or kept."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from docgen.blocks import Block, blocks_to_run
from walks.paste import Terminal, masked, run


def walk(opened: Terminal, page: Path, *, blocks: Sequence[Block] | None = None) -> None:
    """Paste the blocks of a page, all of them where none are named.

    With WFE_CAPTURE set, what is printed is written into the page.
    Raises: AssertionError where a command ends or prints otherwise than the page says.
    """
    is_kept = bool(os.environ.get("WFE_CAPTURE"))
    printed = []
    for block in blocks_to_run(page) if blocks is None else blocks:
        text = run(opened, block)
        printed.append((block, text))
        if not is_kept:
            assert lasting(text) == lasting(block.text), f"{block} prints something else now"
    if is_kept:
        _write(page, printed)


def lasting(text: str) -> list[list[str]]:
    """The lines that must be the same each time, in any order, each as its words in any order.

    Two of one second are told in either order. How many moments a story has goes with how often
    Tekton reports, so lines that begin with a time are left out. Where a line is wrapped goes with
    the lengths of time in it, so that what is set in, and all that is folded, joins the line above.
    """
    joined = re.sub(r"\n(?=  )" if "| fold " not in text else r"\n", " ", text)
    lines = [masked(line) for line in joined.splitlines()]
    return sorted(sorted(line.split()) for line in lines if not line.startswith("TIME"))


def _write(page: Path, printed: Sequence[tuple[Block, str]]) -> None:
    """Put the texts in place of the blocks; from the last to the first, so that places hold."""
    text = page.read_text()
    for block, new in reversed(printed):
        text = text[: block.start] + new + text[block.end :]
    page.write_text(text)
