"""The Typer application with all commands of ``kubectl wfe``."""

import importlib
import os
import shlex
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import typer

from workflowexecution.plugin import flags
from workflowexecution.plugin.flags import Refused, in_order
from workflowexecution.plugin.rendering import Output
from workflowexecution.plugin.shell import with_session

# The last line for kubectl: a directive not to suggest files.
_NO_FILES: Final = ":4"
_VARIABLE: Final = "_KUBECTL_WFE_COMPLETE"
_ABOUT: Final = "Look at WorkflowExecutions, ask why, stop them."


@dataclass(frozen=True, slots=True)
class _Command:
    """Where the function of a command is, the shared flags that it refuses, and its forms."""

    module: str
    function: str
    refused: Refused = field(default_factory=dict)
    forms: frozenset[Output] = flags.ANSWERS


COMMANDS: Final = {
    "list": _Command("executions", "list_executions", flags.OF_EXECUTIONS, flags.LISTS),
    "describe": _Command("describe", "describe"),
    "watch": _Command("executions", "watch", flags.OF_EXECUTIONS, flags.LISTS),
    "logs": _Command("logs", "logs"),
    "locks": _Command("blockers", "list_locks", flags.OF_TARGETS, flags.LISTS),
    "cooldowns": _Command("blockers", "list_cooldowns", flags.OF_TARGETS, flags.LISTS),
    "why": _Command("why", "tell_why"),
    "can-run": _Command("why", "can_run", flags.OF_A_LAUNCH),
    "cancel": _Command("cancel", "cancel"),
    "hold": _Command("holds", "hold", flags.OF_HOLD),
    "holds": _Command("holds", "list_of_holds", flags.OF_HOLDS, flags.LISTS),
    "release": _Command("holds", "release", flags.OF_HOLDS, flags.LINES),
    "clear": _Command("clear", "clear", forms=flags.WORDS),
    "submit": _Command("submit", "submit", flags.OF_A_LAUNCH),
    "top": _Command("top", "top", flags.OF_EXECUTIONS),
    "doctor": _Command("doctor", "doctor", flags.OF_DOCTOR),
    "version": _Command("doctor", "version", flags.OF_VERSION),
}


def application(names: Collection[str] = tuple(COMMANDS)) -> typer.Typer:
    """The application with these commands: only their modules are imported, which takes time."""
    app = typer.Typer(
        name="kubectl wfe",
        help=_ABOUT,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in names:
        known = COMMANDS[name]
        module = importlib.import_module(f"workflowexecution.plugin.commands.{known.module}")
        function = getattr(module, known.function)
        app.command(name)(with_session(function, known.refused, known.forms))
    settings = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command("bundle", context_settings=settings, add_help_option=False)(_bundle)
    app.callback()(_plugin)
    return app


def _bundle(context: typer.Context) -> None:
    """Make, check, try and push remediation bundles; its own --help tells more."""
    # Imported here because it imports the whole operator, which no other command needs.
    from workflowexecution.cli import commands

    raise typer.Exit(commands.main(["bundle", *context.args]))


def _plugin() -> None:
    """Look at WorkflowExecutions, ask why, stop them."""


def _application_for(arguments: Sequence[str]) -> typer.Typer:
    first = arguments[0] if arguments else ""
    return application([first] if first in COMMANDS else [] if first == "bundle" else COMMANDS)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    given = in_order(sys.argv[1:] if arguments is None else arguments)
    _application_for(given)(given, prog_name="kubectl wfe")


def complete() -> None:
    """Print completions for kubectl, which runs `kubectl_complete-wfe` for all shells.

    The arguments are the words typed so far; the last one may be incomplete.
    """
    # Typer registers its completion classes only when it installs completion, so do it here.
    from typer.completion import completion_init  # type: ignore[attr-defined]

    completion_init()
    given = in_order(sys.argv[1:])
    # kubectl wants the format of fish: a suggestion, a tab, a description.
    os.environ |= {
        _VARIABLE: "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": shlex.join(["kubectl-wfe", *(given or [""])]),
    }
    # The last word may be the beginning of another command.
    app = _application_for(given[:-1])
    try:
        app(prog_name="kubectl-wfe", complete_var=_VARIABLE)
    except SystemExit:
        print(_NO_FILES)
