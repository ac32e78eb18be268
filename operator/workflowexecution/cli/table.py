"""Tables and wrapped text for people, of `kubectl wfe` and of `wfe bundle`.

No word and no command is broken, and nothing is cut off.

Needs rich, which is not in the operator's pod: `cli.bundle`, which `wfe run` loads too, imports
this module only where it prints a table.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from rich.cells import cell_len

from workflowexecution.core.text import one_line

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


T = TypeVar("T")
# A line in parts, each with its style; a style is empty for none.
Line = list[tuple[str, str]]
STYLES: Final = {
    "Completed": "green",
    "Failed": "red",
    "Skipped": "yellow",
    "Running": "cyan",
    "Pending": "magenta",
}
# A column of sentences has at least this width.
_LEAST_TEXT: Final = 28


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """A column of a table: its title, and a function that returns the cell of an item.

    is_wide: only for `-o wide`.
    may_move: to a second line of each row, on a terminal that is too narrow for all in one.
    is_text: the last column, of whole sentences, which are wrapped.
    """

    title: str
    cell: Callable[[T], str]
    is_wide: bool = False
    may_move: bool = False
    is_text: bool = False


def table_lines(
    items: Sequence[T],
    columns: Sequence[Column[T]],
    width: int = UNBOUNDED,
    *,
    with_header: bool = True,
) -> list[Line]:
    """The header and rows of a table, without trailing spaces.

    A row has one line where ``width`` allows it, else several; words stay whole.
    """
    rows = [[one_line(column.cell(item)) for column in columns] for item in items]
    widths = [
        max(map(cell_len, (column.title, *(row[place] for row in rows))))
        for place, column in enumerate(columns)
    ]
    has_text = bool(columns) and columns[-1].is_text
    if has_text:
        widths[-1] = min(widths[-1], _LEAST_TEXT)
    movable = [place for place, column in enumerate(columns) if column.may_move or column.is_text]
    table = _Table(widths, lay_out(widths, movable, width), width if has_text else UNBOUNDED)
    titles = [column.title for column in columns]
    header = table.row(titles, lambda _: "bold") if with_header else []
    return header + [
        line for row in rows for line in table.row(row, lambda cell: STYLES.get(cell, ""))
    ]


@dataclass(frozen=True, slots=True)
class _Table:
    """The widths of columns, their layout, and the width at which the last cell is wrapped."""

    widths: Sequence[int]
    layout: Layout
    wrapped_at: int

    def row(self, cells: Sequence[str], style: Callable[[str], str]) -> list[Line]:
        found = []
        for number, places in enumerate(self.layout.lines):
            line: Line = [(INDENT, "")] if number else []
            for place in places[:-1]:
                gap = self.widths[place] - cell_len(cells[place]) + self.layout.gap
                line += [(cells[place], style(cells[place])), (" " * gap, "")]
            found += self._ended(line, cells[places[-1]], style(cells[places[-1]]))
        shown = [_without_end(line) for line in found]
        # What has no cell in a further line does not need that line.
        return [line for number, line in enumerate(shown) if line or not number]

    def _ended(self, line: Line, last: str, style: str) -> list[Line]:
        """The line with its last cell, which may go on in further lines."""
        length = cell_len(plain(line))
        room, indent = self.wrapped_at - length, " " * length
        if any(cell_len(word) > room for word in last.split()):
            indent = INDENT
        first, *rest = wrapped(" " * length + last, self.wrapped_at, indent)
        return [[*line, (first[length:], style)], *([(text, style)] for text in rest)]


def plain(line: Line) -> str:
    """The text of a line."""
    return "".join(text for text, _ in line)


def _without_end(line: Line) -> Line:
    """The line without spaces at its end."""
    for place in reversed(range(len(line))):
        text, style = line[place]
        if kept := text.rstrip():
            return [*line[:place], (kept, style)]
    return []
