"""Tables for people, of `kubectl wfe` and of `wfe bundle`.

Needs rich, which is not in the operator's pod: `cli.bundle`, which `wfe run` loads too, imports
this module only where it prints a table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from rich.cells import cell_len
from rich.text import Text

from workflowexecution.cli.layout import INDENT, UNBOUNDED, Layout, lay_out, wrapped
from workflowexecution.core.text import one_line

T = TypeVar("T")
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
) -> list[Text]:
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

    def row(self, cells: Sequence[str], style: Callable[[str], str]) -> list[Text]:
        found = []
        for number, places in enumerate(self.layout.lines):
            line = Text(INDENT if number else "")
            for place in places[:-1]:
                line.append(cells[place], style(cells[place]))
                line.append(" " * (self.widths[place] - cell_len(cells[place]) + self.layout.gap))
            found += self._ended(line, cells[places[-1]], style(cells[places[-1]]))
        for line in found:
            line.rstrip()
        # What has no cell in a further line does not need that line.
        return [line for number, line in enumerate(found) if line.plain or not number]

    def _ended(self, line: Text, last: str, style: str) -> list[Text]:
        """The line with its last cell, which may go on in further lines."""
        room, indent = self.wrapped_at - line.cell_len, " " * line.cell_len
        if any(cell_len(word) > room for word in last.split()):
            indent = INDENT
        first, *rest = wrapped(" " * line.cell_len + last, self.wrapped_at, indent)
        line.append(first[line.cell_len :], style)
        return [line, *(Text(text, style) for text in rest)]
