"""Small means of the pages that are made from the code."""

from __future__ import annotations


def cell(text: str) -> str:
    """Text that stands in a cell of a Markdown table: one line, no bar that would end the cell."""
    return " ".join(text.split()).replace("|", "\\|")
