"""Values to text: what programs are given, and what people are not."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
import yaml

from builders import NOW
from workflowexecution.api.status import Phase
from workflowexecution.cli.table import Column
from workflowexecution.core.text import is_printable
from workflowexecution.plugin.rendering import Output, Printer, as_plain

COLUMNS: tuple[Column[str], ...] = (
    Column("NAME", lambda item: item),
    Column("LENGTH", lambda item: str(len(item)), is_wide=True),
)


@dataclass(frozen=True, slots=True)
class Thing:
    """A value with everything that is written in a way of its own."""

    phase: Phase
    started_at: object
    time_left: timedelta
    parts: tuple[str, ...]
    missing: None = None


def test_programs_are_given_json_as_the_api_has_it() -> None:
    thing = Thing(Phase.FAILED, NOW, timedelta(seconds=65), ("a", "b"))
    assert as_plain({"thing": thing}) == {
        "thing": {
            "phase": "Failed",
            "startedAt": "2026-01-02T12:00:00Z",
            "timeLeft": "1m5s",
            "parts": ["a", "b"],
        }
    }


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (Output.TABLE, "NAME\none\nthree\n"),
        (Output.WIDE, "NAME LENGTH\none 3\nthree 5\n"),
        (Output.NAME, "things/one\nthings/three\n"),
        (Output.YAML, "apiVersion: v1\nkind: List\nitems:\n- one\n- three\n"),
    ],
)
def test_items_are_printed_in_the_form_asked_for(
    capsys: pytest.CaptureFixture[str], output: Output, expected: str
) -> None:
    printer = Printer(output)
    printer.print_items(["one", "three"], COLUMNS, name="things/{}".format)
    lines = capsys.readouterr().out.splitlines()
    assert "".join(" ".join(line.split()) + "\n" for line in lines) == expected


def test_nothing_found_is_a_note_and_an_empty_answer(capsys: pytest.CaptureFixture[str]) -> None:
    empty: list[str] = []
    Printer(Output.TABLE).print_items(empty, COLUMNS, name=str, empty="none there")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "none there\n")


EVIL = {"spec": {"targetResource": "a/b/\x9b2J\u202egnp\x85", "k\x1b[2J": ["\x7f\u2028", "größer"]}}


@pytest.mark.parametrize("output", [Output.JSON, Output.YAML])
def test_a_document_means_the_same_and_is_not_obeyed(
    capsys: pytest.CaptureFixture[str], output: Output
) -> None:
    Printer(output).print_document(EVIL)
    Printer(output).print_change(EVIL, "x")
    said = capsys.readouterr().out
    assert is_printable(said)
    documents = [item for item in yaml.safe_load_all(said.replace("}\n{", "}\n---\n{")) if item]
    assert documents == [EVIL, EVIL]


def test_what_is_harmless_is_not_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    for output in (Output.JSON, Output.YAML):
        Printer(output).print_document({"reason": "größer, 日本語"})
        assert "größer, 日本語" in capsys.readouterr().out


def test_names_are_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer(Output.NAME)
    printer.print_items(["\x1b[2J"], COLUMNS, name=str)
    printer.print_answer({}, "\x1b[2J", "")
    printer.print_change({}, "\x1b[2J")
    assert is_printable(capsys.readouterr().out)


def test_a_line_of_others_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Printer(Output.TABLE).say_from("a\nb", "x y\n12:00:00 z: Completed")
    assert capsys.readouterr().out == "[a b] x y 12:00:00 z: Completed\n"


def test_a_terminal_is_not_handed_what_it_would_obey(capsys: pytest.CaptureFixture[str]) -> None:
    Printer(Output.TABLE).say("\x1b[31mred\x1b[0m\tand [bold]so on[/bold]")
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "[bold]so on[/bold]" in said


def test_a_long_text_is_one_line_of_yaml_however_long_the_names_in_it_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("a", "a" * 63):
        answer = {"message": f"GET /api/v1/namespaces/{name}: " + "word " * 100 + "end"}
        Printer(Output.YAML).print_answer(answer, "", "")
        assert len(capsys.readouterr().out.strip().splitlines()) == 1
