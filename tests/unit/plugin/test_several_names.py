"""Several names in one command: each is answered, in order, and an error stops no other one."""

import json
import re

import pytest

from builders import raw_execution
from unit.plugin.played import Terminal
from unit.plugin.stage import OURS
from workflowexecution.api.reading import Raw
from workflowexecution.plugin import app
from workflowexecution.plugin.shell import Exit

ASKED = [("describe",), ("why",), ("cancel", "--reason", "x"), ("clear", "--reason", "x")]
GONE = "error: there is no WorkflowExecution 'gone' in namespace team-a; -A looks in all namespaces"


def patched(terminal: Terminal) -> list[str]:
    """The names of the objects that a patch was sent for."""
    sent = [item.path for item in terminal.server.asked if item.method == "PATCH"]
    return [path.rpartition("/")[2] for path in sent if path.startswith(OURS)]


def masked(text: str) -> str:
    """Without ages and the time until a cooldown ends, which go by between two commands."""
    return re.sub(r"in \w+, at", "in LENGTH, at", re.sub(r"(?m)\d\w*$", "AGE", text))


@pytest.mark.parametrize("command", [("describe",), ("why",)], ids=" ".join)
def test_each_is_answered_in_order(terminal: Terminal, command: tuple[str, ...]) -> None:
    alone = [masked(terminal.ask(*command, name).out) for name in ("skipped", "failed")]
    told = terminal.ask(*command, "skipped", "wfe/failed", "skipped")
    assert (told.status, masked(told.out)) == (Exit.OK, "\n".join(alone))


@pytest.mark.parametrize("command", ASKED, ids=lambda command: command[0])
def test_an_error_stops_no_other(terminal: Terminal, command: tuple[str, ...]) -> None:
    told = terminal.ask(*command, "gone", "failed", "away")
    alone = terminal.ask(*command, "failed")
    lines = told.err.replace("\n", " ")
    assert lines.startswith(GONE)
    assert GONE.replace("gone", "away") in lines
    # That one alone was answered as it always is: `cancel` says that it has ended.
    assert (told.status, masked(told.out)) == (Exit.NOT_FOUND, masked(alone.out))
    assert alone.err in told.err


@pytest.mark.parametrize("form", [(), ("-o", "json"), ("-o", "name")], ids=" ".join)
def test_those_that_are_there_are_listed(terminal: Terminal, form: tuple[str, ...]) -> None:
    told = terminal.ask("list", "gone", "failed", "away", *form)
    alone = terminal.ask("list", "failed", *form)
    assert (told.status, masked(told.out)) == (Exit.NOT_FOUND, masked(alone.out))
    lines = told.err.replace("\n", " ")
    assert GONE in lines
    assert GONE.replace("gone", "away") in lines
    none = terminal.ask("list", "gone", "away", *form)
    assert (none.status, none.out) == (Exit.NOT_FOUND, "")


def test_the_status_is_that_of_the_first_error(terminal: Terminal) -> None:
    """`running` has nothing to clear, and `gone` is not there."""
    told = terminal.ask("clear", "--reason", "x", "failed", "running", "gone")
    assert (told.status, told.out.count("cleared: ")) == (Exit.ERROR, 1)
    assert patched(terminal) == ["failed"]
    assert "nothing to clear" in told.err.replace("\n", " ")


def test_programs_are_given_one_list(terminal: Terminal) -> None:
    told = terminal.ask("why", "skipped", "gone", "failed", "-o", "json")
    answer: Raw = json.loads(told.out)
    assert (told.status, answer["kind"]) == (Exit.NOT_FOUND, "List")
    assert [item["execution"] for item in answer["items"]] == ["team-a/skipped", "team-a/failed"]
    assert json.loads(terminal.ask("why", "skipped", "-o", "json").out)["phase"] == "Skipped"
    picked = terminal.ask("describe", "skipped", "failed", "-o", "jsonpath={.items[*].phase}")
    assert picked.out == "Skipped Failed\n"
    named = terminal.ask("why", "skipped", "failed", "-o", "name")
    kind = "workflowexecution.workflowexecution.kubernaut.ai"
    assert named.out == f"{kind}/skipped\n{kind}/failed\n"


def test_a_cluster_that_is_away_is_told_once(terminal: Terminal) -> None:
    for name in ("failed", "skipped"):
        path = f"{OURS}/namespaces/team-a/workflowexecutions/{name}"
        terminal.server.answers["GET", path] = (503, {"message": "starting"})
    told = terminal.ask("describe", "failed", "skipped", "-o", "json")
    assert (told.status, told.err.count("error: ")) == (Exit.UNAVAILABLE, 1)


def test_a_name_that_is_typed_is_not_suggested_again(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    items = [raw_execution(name) for name in ("one", "other")]
    path = f"{OURS}/namespaces/team-a/workflowexecutions"
    terminal.server.answers["GET", path] = (200, {"items": items, "metadata": {}})
    monkeypatch.setattr("sys.argv", ["kubectl_complete-wfe", "describe", "one", "o"])
    app.complete()
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["other", ":4"]
