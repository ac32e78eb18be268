"""Tables for people, of `kubectl wfe` and of `wfe bundle`.

Needs rich, which is not in the operator's pod: `cli.bundle`, which `wfe run` loads too, imports
this module only where it prints a table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from workflowexecution.core.text import one_line

T = TypeVar("T")
STYLES: Final = {
    "Completed": "green",
    "Failed": "red",
    "Skipped": "yellow",
    "Running": "cyan",
    "Pending": "magenta",
}
_GAP: Final = "   "


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """A column of a table: its title, and a function that returns the cell of an item."""

    title: str
    cell: Callable[[T], str]
    is_wide: bool = False


def table_lines(items: Sequence[T], columns: Sequence[Column[T]]) -> list[Text]:
    """The header and rows of a table, one line each, without trailing spaces."""
    rows = [[one_line(column.cell(item)) for column in columns] for item in items]
    widths = [
        max(map(cell_len, (column.title, *(row[place] for row in rows))))
        for place, column in enumerate(columns)
    ]
    header = _row([column.title for column in columns], widths, lambda _: "bold")
    return [header, *(_row(row, widths, lambda cell: STYLES.get(cell, "")) for row in rows)]


def _row(cells: Sequence[str], widths: Sequence[int], style: Callable[[str], str]) -> Text:
    line = Text()
    for cell, width in zip(cells, widths, strict=True):
        line.append(cell, style(cell))
        line.append(" " * (width - cell_len(cell) + len(_GAP)))
    line.rstrip()
    return line


def folded_table(items: Sequence[T], columns: Sequence[Column[T]]) -> Table:
    """A table with folded cells, for items with long texts."""
    table = Table(*(column.title for column in columns), box=None, pad_edge=False)
    for item in items:
        # As plain text: users have written it, and it may contain markup.
        table.add_row(*(Text(one_line(column.cell(item))) for column in columns))
    return table
