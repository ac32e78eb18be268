"""Tables for people, of `kubectl wfe` and of `wfe bundle`.

Needs rich, which is not in the operator's pod: `cli.bundle`, which `wfe run` loads too, imports
this module only where it prints a table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from rich.cells import cell_len

from workflowexecution.cli.layout import INDENT, UNBOUNDED, Layout, lay_out, wrapped
from workflowexecution.core.text import one_line

if TYPE_CHECKING:
    from rich.table import Table

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


def folded_table(items: Sequence[T], columns: Sequence[Column[T]]) -> "Table":
    """A table with folded cells, for items with long texts."""
    from rich.table import Table
    from rich.text import Text

    table = Table(*(column.title for column in columns), box=None, pad_edge=False)
    for item in items:
        # As plain text: users have written it, and it may contain markup.
        table.add_row(*(Text(one_line(column.cell(item))) for column in columns))
    return table
