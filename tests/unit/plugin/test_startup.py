"""A command loads a slow module only if it needs it."""

import subprocess
import sys
from typing import Final

import pytest

from unit.plugin.played import Terminal
from workflowexecution.plugin.app import COMMANDS, application

# Writes the names of the modules that are loaded behind the answer of the command.
_PROBE: Final = """
import atexit, sys
atexit.register(lambda: sys.stderr.write("\\nloaded:" + " ".join(sys.modules)))
from workflowexecution.plugin.__main__ import main
main()
"""
# Each of them takes about as long to load as Python takes to start with asyncio, or longer.
_HTTP: Final = frozenset({"aiohttp"})
_MODELS: Final = frozenset({"workflowexecution.api.status_model", "workflowexecution.api.spec"})
_DECISIONS: Final = frozenset({"workflowexecution.core.decision", "workflowexecution.cache"})
_TERMINAL: Final = frozenset({"rich.console", "rich.text"})
_OF_NO_ONE: Final = frozenset({"kopf", "prometheus_client", "structlog", "tenacity", "jinja2"})
_ONE_QUESTION: Final = _MODELS | _DECISIONS | _TERMINAL | _OF_NO_ONE


def loaded_by(*arguments: str) -> set[str]:
    """The modules that are loaded at the end of a command, whose output is no terminal."""
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, *arguments], capture_output=True, text=True, check=True
    )
    return set(done.stderr.rpartition("loaded:")[2].split())


@pytest.mark.parametrize("arguments", [(), ("--help",), ("help",), ("-h",)])
def test_the_list_of_commands_loads_no_command(arguments: tuple[str, ...]) -> None:
    never = _ONE_QUESTION | _HTTP | {"asyncio", "pydantic", "yaml"}
    if not arguments:
        arguments = ("--help",)
    assert loaded_by(*arguments) & never == set()


@pytest.mark.parametrize(
    "arguments",
    [("list", "-h"), ("list",), ("list", "-o", "json"), ("list", "-o", "name"), ("--version",)],
    ids=" ".join,
)
def test_one_question_loads_no_more_than_its_answer_needs(
    terminal: Terminal, arguments: tuple[str, ...]
) -> None:
    assert terminal.server
    assert loaded_by(*arguments) & _ONE_QUESTION == set()


def test_of_a_command_that_is_not_loaded_the_same_is_said() -> None:
    """Its summary is a text of its own in the table of commands."""
    loaded = {item.name: item.callback for item in application().registered_commands}
    said = {name: str(loaded[name].__doc__).split("\n\n")[0] for name in COMMANDS}
    assert said == {name: known.summary for name, known in COMMANDS.items()}
