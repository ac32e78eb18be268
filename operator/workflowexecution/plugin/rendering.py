"""Prints values: tables for people, JSON and YAML for programs, names for other commands."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from rich.cells import cell_len

from workflowexecution.api.reading import format_duration, format_time
from workflowexecution.cli.table import (
    INDENT,
    STYLES,
    UNBOUNDED,
    Column,
    Line,
    plain,
    table_lines,
    wrapped,
)
from workflowexecution.core.text import escaped, is_printable, one_line, printable
from workflowexecution.plugin import jsonpath

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

T = TypeVar("T")
# Between the longest title of a field and the values.
_GAP_OF_FIELDS: Final = 4


class Output(StrEnum):
    """The output format of a command."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"
    JSONPATH = "jsonpath"
    COLUMNS = "custom-columns"


def parse_form(text: str) -> tuple[Output, str]:
    """The form that `-o` asks for, and its template.

    Raises: ValueError where there is no such form, or its template is missing or not understood.
    """
    kind, has_template, template = text.partition("=")
    if kind not in list(Output):
        forms = ", ".join(Output)
        raise ValueError(f"-o {text!r} is no form of an answer; the forms are {forms}")
    form = Output(kind)
    if form not in (Output.JSONPATH, Output.COLUMNS):
        if has_template:
            raise ValueError(f"-o {kind} takes no value; leave out ={template}")
        return form, ""
    if not template:
        example = "{.items[*].metadata.name}" if form is Output.JSONPATH else "NAME:.metadata.name"
        raise ValueError(f"-o {kind} needs a value, as {kind}={example}")
    try:
        jsonpath.fill(template, {}) if form is Output.JSONPATH else _custom_columns(template)
    except ValueError as error:
        raise ValueError(f"-o {kind}: {error}") from error
    return form, template


def _custom_columns(template: str) -> list[Column[Any]]:
    """The columns `TITLE:PATH,…`. Raises: ValueError where they cannot be read."""
    found = []
    for item in template.split(","):
        title, is_named, path = item.partition(":")
        if not (title and is_named and path):
            raise ValueError(f"{item!r} is no column; write it like NAME:.metadata.name")
        jsonpath.values_at(path, {})
        column: Column[Any] = Column(title, partial(_cell, path))
        found.append(column)
    return found


def _cell(path: str, document: Any) -> str:
    return ",".join(map(jsonpath.text_of, jsonpath.values_at(path, document))) or "<none>"


class Printer:
    """Prints the output of a command; notes for people go to standard error.

    rich is loaded only where the output is a terminal.
    """

    def __init__(self, output: Output, template: str = "") -> None:
        self.output = output
        self._template = template
        # The answers of one list, while it is being made.
        self._listed: list[Any] | None = None
        self._has_begun = False

    @cached_property
    def _out(self) -> "Console | None":
        return _console(sys.stdout.isatty(), stderr=False)

    @cached_property
    def _err(self) -> "Console | None":
        return _console(sys.stderr.isatty(), stderr=True)

    def print_items(
        self,
        items: Sequence[T],
        columns: Sequence[Column[T]],
        *,
        name: Callable[[T], str],
        document: Callable[[T], Any] = lambda item: item,
        empty: str = "",
    ) -> None:
        """Print items in the chosen format.

        Args:
            items: in the order of the output.
            columns: of the table.
            name: `resource/name` of an item.
            document: the value of an item for JSON and YAML; by default the item itself.
            empty: the note where there are no items.
        """
        if not items and empty:
            self.note(empty)
        if self.output is Output.NAME:
            self._write("".join(f"{name(item)}\n" for item in items))
        elif not self.is_for_people:
            self._print_list([document(item) for item in items])
        elif items:
            shown = [item for item in columns if not item.is_wide or self.output is Output.WIDE]
            self.print_table(items, shown)

    def print_table(
        self, items: Sequence[T], columns: Sequence[Column[T]], *, with_header: bool = True
    ) -> None:
        """Print items as a table, regardless of the chosen format."""
        lines = table_lines(items, columns, self.width, with_header=with_header)
        if self._out is None:
            self._write("".join(f"{plain(line)}\n" for line in lines))
        else:
            for line in lines:
                self._say(line)
        sys.stdout.flush()

    def print_change(self, value: Any, name: str) -> None:
        """Print one value of a stream: a line of JSON, a YAML document, or a name.

        Tables are printed by `print_table`.
        """
        if self.output is Output.NAME:
            self._write(f"{name}\n")
        elif self.output is Output.YAML:
            self._write("---\n")
            self.print_document(value)
        elif self.output in (Output.JSONPATH, Output.COLUMNS):
            self.print_document(value)
        else:
            self._write(_json(as_plain(value)) + "\n")
        sys.stdout.flush()

    def print_answer(self, value: Any, name: str, text: str) -> None:
        """Print a result: a line of text for people, else the value in the chosen format."""
        if self.output is Output.NAME:
            self._write(f"{name}\n" if name else "")
        elif self.is_for_people:
            self.say(text)
        elif self._listed is None:
            self.print_document(value)
        else:
            self._listed.append(value)

    def begin_answer(self) -> None:
        """Begin a long answer; for people, there is an empty line between two of them."""
        if self._has_begun and self.is_for_people:
            self.say("")
        self._has_begun = True

    @contextmanager
    def one_list(self) -> Iterator[None]:
        """Within it, answers are collected for programs, and printed as one List at its end."""
        self._listed = []
        try:
            yield
        finally:
            found, self._listed = self._listed, None
            if not self.is_for_people and self.output is not Output.NAME:
                self._print_list(found)

    def _print_list(self, items: Sequence[Any]) -> None:
        self.print_document({"apiVersion": "v1", "kind": "List", "items": items})

    def print_document(self, value: Any) -> None:
        """Print one value as YAML or by a template if that is the format, else as JSON."""
        plain = as_plain(value)
        if self.output is Output.YAML:
            self._write(_yaml(plain))
        elif self.output is Output.JSONPATH:
            filled = jsonpath.fill(self._template, plain)
            self._write(filled if filled.endswith("\n") or not filled else f"{filled}\n")
        elif self.output is Output.COLUMNS:
            is_list = isinstance(plain, dict) and plain.get("kind") == "List"
            self.print_table(
                plain["items"] if is_list else [plain], _custom_columns(self._template)
            )
        else:
            self._write(_json(plain, indent=2) + "\n")

    def print_fields(self, fields: Mapping[str, str]) -> None:
        """Print fields, one on each line; empty ones are left out."""
        shown = {title: printable(value) for title, value in fields.items() if value}
        start = max(map(len, shown), default=0) + _GAP_OF_FIELDS
        for title, value in shown.items():
            self._print_field(title, value, start)

    def _print_field(self, title: str, value: str, start: int) -> None:
        """Print a value beside its title, or below it where a word of it has no place there."""
        lines, place = wrapped(value, self.width - start), start
        if any(cell_len(line) > self.width - start for line in lines):
            lines, place = ["", *wrapped(value, self.width - len(INDENT))], len(INDENT)
        first, *rest = lines
        gap = " " * (start - len(title)) if first else ""
        self._say([(title, "bold"), (gap + first, "")])
        for text in rest:
            self._say([(" " * place + text, "")])

    def say(self, text: str, style: str = "", *, indent: str = "") -> None:
        """Print a text for people to standard output; ``indent`` is of all lines but the first."""
        for line in wrapped(printable(text), self.width, indent):
            self._say([(line, style or STYLES.get(text, ""))])

    def say_from(self, source: str, text: str, style: str = "") -> None:
        """Print a line of another program after its source, and flush."""
        # It must stay one line: a second line could look like that of another source.
        shown = printable(text).replace("\n", " ")
        self._say([(f"[{one_line(source)}] " if source else "", style), (shown, "")])
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Print a note for people to standard error."""
        width = self._err.width if self._err else UNBOUNDED
        for line in wrapped(printable(text), width):
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    @property
    def console_of_notes(self) -> "Console | None":
        """The console of standard error; None where it is no terminal."""
        return self._err

    @property
    def width(self) -> int:
        """The width of the terminal, in cells; without limit where there is none."""
        return self._out.width if self._out else UNBOUNDED

    @property
    def is_for_people(self) -> bool:
        """Whether the answer is a table or text for people."""
        return self.output in (Output.TABLE, Output.WIDE)

    @property
    def is_live(self) -> bool:
        """Whether the output can be redrawn: a table on a terminal."""
        return self._out is not None and self.is_for_people

    @contextmanager
    def live(self) -> Iterator[Callable[[Sequence[Line]], None]]:
        """A part of the terminal; it is redrawn with each call of what this yields."""
        from rich.live import Live
        from rich.text import Text

        with Live(console=self._out, auto_refresh=False, vertical_overflow="crop") as live:
            yield lambda lines: live.update(Text("\n").join(map(_styled, lines)), refresh=True)

    def _say(self, line: Line) -> None:
        if self._out:
            # What is longer is wrapped by the terminal, so that it can be copied as one line.
            self._out.print(_styled(line), soft_wrap=True)
        else:
            self._write(plain(line) + "\n")

    def _write(self, text: str) -> None:
        # Documents are escaped already, so this does not change their meaning.
        sys.stdout.write(printable(text))


def as_plain(value: Any) -> Any:
    """A value for JSON: camelCase keys, RFC 3339 times, Go durations; without None."""
    # A model of pydantic, which is not imported for this alone.
    if (dump := getattr(value, "model_dump", None)) is not None:
        return dump(mode="json", by_alias=True, exclude_none=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [item.name for item in dataclasses.fields(value)]
        found = {_camel(name): as_plain(getattr(value, name)) for name in fields}
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


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def _json(plain: Any, indent: int | None = None) -> str:
    return escaped(json.dumps(plain, indent=indent, ensure_ascii=False))


def _yaml(plain: Any) -> str:
    import yaml

    def dump(*, allow_unicode: bool) -> str:
        # Without line wrapping, so that grep finds whole values.
        found = yaml.safe_dump(plain, sort_keys=False, allow_unicode=allow_unicode, width=UNBOUNDED)
        return str(found)

    text = dump(allow_unicode=True)
    return text if is_printable(text) else dump(allow_unicode=False)


def _console(is_terminal: bool, *, stderr: bool) -> "Console | None":
    """The console of a terminal; None where the output goes elsewhere."""
    if not is_terminal:
        return None
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def _styled(line: Line) -> "Text":
    from rich.text import Text

    return Text.assemble(*line)
