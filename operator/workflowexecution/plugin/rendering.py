"""Values to text: tables for people, JSON and YAML for programs, names for other commands."""

import dataclasses
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from workflowexecution.api.duration import format_duration
from workflowexecution.api.fields import format_time
from workflowexecution.cli.table import STYLES, Column, table_lines
from workflowexecution.core.text import escaped, is_printable, one_line, printable

T = TypeVar("T")

# Wider than any row: what is read by a program or a pager is not cut off.
_UNBOUNDED: Final = 100_000


class Output(StrEnum):
    """In which form a command answers."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


class Printer:
    """Prints what a command has to say; notes for people go to standard error."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self._out = _console(sys.stdout.isatty(), stderr=False)
        self._err = _console(sys.stderr.isatty(), stderr=True)

    def print_items(
        self,
        items: Sequence[T],
        columns: Sequence[Column[T]],
        *,
        name: Callable[[T], str],
        document: Callable[[T], Any] = lambda item: item,
        empty: str = "",
    ) -> None:
        """Print items in the form asked for.

        Args:
            items: in the order to be printed.
            columns: of the table.
            name: `resource/name` of an item.
            document: what of an item programs are given; the item itself otherwise.
            empty: what to note where there are none.
        """
        if not items and empty:
            self.note(empty)
        if self.output is Output.NAME:
            self._write("".join(f"{name(item)}\n" for item in items))
        elif self.output in (Output.JSON, Output.YAML):
            found = [document(item) for item in items]
            self.print_document({"apiVersion": "v1", "kind": "List", "items": found})
        elif items:
            shown = [item for item in columns if not item.is_wide or self.output is Output.WIDE]
            self.print_table(items, shown)

    def print_table(self, items: Sequence[T], columns: Sequence[Column[T]]) -> None:
        """Print items as a table, whatever form was asked for."""
        lines = table_lines(items, columns)
        if self._out.is_terminal:
            for line in lines:
                self._say(line)
        else:
            # Ten thousand lines without colours need not be laid out.
            self._write("".join(f"{line.plain}\n" for line in lines))

    def print_change(self, value: Any, name: str) -> None:
        """Print one of many values that come one after the other, in a form that can be joined.

        JSON takes one line each, YAML is one document each; tables are printed by `print_table`.
        """
        if self.output is Output.NAME:
            self._write(f"{name}\n")
        elif self.output is Output.YAML:
            self._write("---\n")
            self.print_document(value)
        else:
            self._write(_json(as_plain(value)) + "\n")
        self._out.file.flush()

    def print_answer(self, value: Any, name: str, text: str) -> None:
        """Print what became of a request: a line for people, else in the form asked for."""
        if self.output is Output.NAME:
            self._write(f"{name}\n" if name else "")
        elif self.output in (Output.JSON, Output.YAML):
            self.print_document(value)
        else:
            self.say(text)

    def print_document(self, value: Any) -> None:
        """Print one value as JSON, or as YAML where that was asked for."""
        plain = as_plain(value)
        if self.output is Output.YAML:
            self._write(_yaml(plain))
        else:
            self._write(_json(plain, indent=2) + "\n")

    def print_fields(self, fields: Mapping[str, str]) -> None:
        """Print what is known, one field below the other; empty ones are left out."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), show_header=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for title, value in fields.items():
            if value:
                table.add_row(title, Text(printable(value)))
        self._out.print(table)

    def say(self, text: str, style: str = "") -> None:
        """Print a line for people to standard output."""
        self._say(Text(printable(text), style=style or STYLES.get(text, "")))

    def say_from(self, source: str, text: str, style: str = "") -> None:
        """Print a line that somebody else wrote, and who, at once."""
        # It must not look like a line of somebody else.
        said = printable(text).replace("\n", " ")
        line = Text.assemble((f"[{one_line(source)}] " if source else "", style), said)
        self._say(line)
        self._out.file.flush()

    def note(self, text: str) -> None:
        """Tell people something beside the answer."""
        self._err.print(Text(printable(text)), soft_wrap=True)

    @property
    def is_live(self) -> bool:
        """Whether what was printed can be replaced: a table on a terminal."""
        return self._out.is_terminal and self.output in (Output.TABLE, Output.WIDE)

    def open_live(self) -> Live:
        """A place on the terminal whose content is replaced each time; entered as a context."""
        return Live(console=self._out, auto_refresh=False, vertical_overflow="crop")

    def _say(self, line: Text) -> None:
        # A terminal wraps long lines by itself, and then they can be copied whole.
        self._out.print(line, soft_wrap=True)

    def _write(self, text: str) -> None:
        # Documents have been escaped already, so that they mean the same.
        self._out.file.write(printable(text))


def as_plain(value: Any) -> Any:
    """A value as JSON has it: camelCase keys, RFC 3339 times, Go durations; None is left out."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [item.name for item in dataclasses.fields(value)]
        found = {to_camel(name): as_plain(getattr(value, name)) for name in fields}
        return {key: item for key, item in found.items() if item is not None}
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, Mapping):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    return str(value) if isinstance(value, StrEnum) else value


def _json(plain: Any, indent: int | None = None) -> str:
    return escaped(json.dumps(plain, indent=indent, ensure_ascii=False))


def _yaml(plain: Any) -> str:
    def dump(*, allow_unicode: bool) -> str:
        # Not wrapped: where a line ended would hang on how long its names are, and grep needs it.
        return yaml.safe_dump(plain, sort_keys=False, allow_unicode=allow_unicode, width=_UNBOUNDED)

    text = dump(allow_unicode=True)
    return text if is_printable(text) else dump(allow_unicode=False)


def _console(is_terminal: bool, *, stderr: bool) -> Console:
    width = None if is_terminal else _UNBOUNDED
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)
