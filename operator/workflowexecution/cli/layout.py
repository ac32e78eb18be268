"""Text that fits a width: no word and no command is broken, and nothing is cut off."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

# Wider than any row, so that nothing is cut off for a program or a pager.
UNBOUNDED: Final = 100_000
# Of the second line of a row, and all after it.
INDENT: Final = "    "
# Spaces between columns: of a table with one line for each row, and of one with several.
_WIDE_GAP: Final = 3
_NARROW_GAP: Final = 2
# A command stays whole, up to a mark of the sentence that it is in.
_WORDS: Final = re.compile(r"kubectl (?:'[^']*'|[^;,'])+|\S+")


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """The lines of a text; a word or a command that is longer than a line has one of its own.

    Args:
        text: one or more lines, which may begin with spaces.
        width: in cells.
        indent: of all lines but the first.
    """
    return [line for part in text.split("\n") for line in _wrapped(part, width, indent)]


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    if cell_len(text) <= width:
        return [text]
    lines, line = list[str](), ""
    for gap, word in _words(text):
        if line and cell_len(f"{line}{gap}{word}") > width:
            lines.append(line)
            line = f"{indent}{word}"
        else:
            line = f"{line}{gap}{word}"
    return [*lines, line]


def _words(text: str) -> list[tuple[str, str]]:
    """Words and commands, each with the spaces before it."""
    found: list[tuple[str, str]] = []
    end = 0
    for match in _WORDS.finditer(text):
        word = match[0].rstrip()
        gap = text[end : match.start()]
        if found and not gap:
            # The mark of the sentence after a command.
            found[-1] = (found[-1][0], found[-1][1] + word)
        else:
            found.append((gap, word))
        end = match.start() + len(word)
    return found


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of columns, line by line, and the spaces between two of them."""

    lines: Sequence[Sequence[int]]
    gap: int


def lay_out(widths: Sequence[int], movable: Sequence[int], width: int) -> Layout:
    """Arrange columns so that each line fits where that is possible.

    All are in one line if that fits. Else the widest of those that may move go to further lines,
    one after the other, until the first line fits; what still has no place follows, too.

    Args:
        widths: of the columns, in cells.
        movable: places of the columns that may move.
        width: of a line, in cells.
    """
    first, moved = list(range(len(widths))), list[int]()
    if _length(first, widths, _WIDE_GAP) <= width:
        return Layout([first], _WIDE_GAP)
    for place in sorted(movable, key=lambda place: -widths[place]):
        if _length(first, widths, _NARROW_GAP) <= width:
            break
        first.remove(place)
        moved.append(place)
    while len(first) > 1 and _length(first, widths, _NARROW_GAP) > width:
        moved.append(first.pop())
    return Layout([first, *_packed(sorted(moved), widths, width - len(INDENT))], _NARROW_GAP)


def _length(places: Sequence[int], widths: Sequence[int], gap: int) -> int:
    return sum(widths[place] + gap for place in places) - gap


def _packed(places: Sequence[int], widths: Sequence[int], width: int) -> list[list[int]]:
    lines: list[list[int]] = []
    for place in places:
        if lines and _length([*lines[-1], place], widths, _NARROW_GAP) <= width:
            lines[-1].append(place)
        else:
            lines.append([place])
    return lines
