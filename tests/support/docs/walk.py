"""Pasting a page: every block that is to be run, in order, and what is printed compared or kept."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from docs.blocks import Block, blocks_to_run
from docs.paste import Terminal, masked, run


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
            # What began in the same second is told in either order.
            now, told = (sorted(masked(one).splitlines()) for one in (text, block.text))
            assert now == told, f"{block} prints something else now; see make docs-walk CAPTURE=1"
    if is_kept:
        _write(page, printed)


def _write(page: Path, printed: Sequence[tuple[Block, str]]) -> None:
    """Put the texts in place of the blocks; from the last to the first, so that places hold."""
    text = page.read_text()
    for block, new in reversed(printed):
        text = text[: block.start] + new + text[block.end :]
    page.write_text(text)
