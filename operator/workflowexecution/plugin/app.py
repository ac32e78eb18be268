"""The Typer application with all commands of ``kubectl wfe``."""

import importlib
import os
import shlex
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import typer

from workflowexecution.plugin import flags
from workflowexecution.plugin.flags import Refused, in_order
from workflowexecution.plugin.rendering import Output

# The last line for kubectl: a directive not to suggest files.
_NO_FILES: Final = ":4"
_VARIABLE: Final = "_KUBECTL_WFE_COMPLETE"
_ABOUT: Final = "Look at WorkflowExecutions, ask why, stop them."


@dataclass(frozen=True, slots=True)
class _Command:
    """A command: its function, what that does, the flags that it refuses, its forms."""

    module: str
    function: str
    summary: str
    refused: Refused = field(default_factory=dict)
    forms: frozenset[Output] = flags.ANSWERS


COMMANDS: Final = {
    "list": _Command(
        "executions",
        "list_executions",
        "List executions, newest first.",
        flags.OF_EXECUTIONS,
        flags.LISTS,
    ),
    "describe": _Command(
        "describe",
        "describe",
        "Tell the story of executions: what happened when, and what failed.",
    ),
    "watch": _Command(
        "executions",
        "watch",
        "Watch executions: those that have not ended, and all that changes from now on.",
        flags.OF_EXECUTIONS,
        flags.LISTS,
    ),
    "logs": _Command(
        "logs",
        "logs",
        "Print what the steps of an execution's run have written; -f goes on until it ends.",
    ),
    "locks": _Command(
        "blockers",
        "list_locks",
        "List targets that are locked now, in all namespaces: holder, since when, by which run.",
        flags.OF_TARGETS,
        flags.LISTS,
    ),
    "cooldowns": _Command(
        "blockers",
        "list_cooldowns",
        "List workflows that may not run again on a target yet, of all namespaces.",
        flags.OF_TARGETS,
        flags.LISTS,
    ),
    "why": _Command(
        "why",
        "tell_why",
        "Say why executions were skipped or failed, and when the same may run again.",
    ),
    "can-run": _Command(
        "why",
        "can_run",
        "Say whether a workflow may run on a target now, as the operator would decide.",
        flags.OF_A_LAUNCH,
    ),
    "cancel": _Command(
        "cancel",
        "cancel",
        "Stop what executions run; a target is free once nothing of it executes any more.",
    ),
    "hold": _Command(
        "holds",
        "hold",
        "Hold new launches of everything, a namespace, a target or a workflow; what runs goes on.",
        flags.OF_HOLD,
    ),
    "holds": _Command(
        "holds",
        "list_of_holds",
        "List holds: who keeps what from being launched, why, until when, and what waits.",
        flags.OF_HOLDS,
        flags.LISTS,
    ),
    "release": _Command(
        "holds",
        "release",
        "Lift holds: what waits for them goes on by itself.",
        flags.OF_HOLDS,
        flags.LINES,
    ),
    "clear": _Command(
        "clear",
        "clear",
        "Let workflows run again on a target after a failure, before its cooldown or guard ends.",
        forms=flags.WORDS,
    ),
    "submit": _Command(
        "submit",
        "submit",
        "Create an execution, checked first; its target is locked as for any other.",
        flags.OF_A_LAUNCH,
    ),
    "top": _Command(
        "top",
        "top",
        "Sum up executions: rates, durations, skips and failures by reason.",
        flags.OF_EXECUTIONS,
    ),
    "doctor": _Command(
        "doctor",
        "doctor",
        "Check all that executions need, and say what to do where something is missing.",
        flags.OF_DOCTOR,
    ),
    "support-bundle": _Command(
        "support_bundle",
        "support_bundle",
        "Collect what a maintainer asks for into one archive, without secrets.",
        forms=flags.WORDS,
    ),
    "version": _Command(
        "version",
        "version",
        "Print the versions of the plugin, of Kubernetes and of Tekton.",
        flags.OF_VERSION,
    ),
}


def application(names: Collection[str] = tuple(COMMANDS)) -> typer.Typer:
    """The application with these commands; of all others, it knows no more than the summary.

    Only the modules of these commands are imported, which takes time.
    """
    app = typer.Typer(
        name="kubectl wfe",
        help=_ABOUT,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name, known in COMMANDS.items():
        if name in names:
            app.command(name)(_function_of(known))
        else:
            app.command(name, help=known.summary)(_not_loaded)
    settings = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command("bundle", context_settings=settings, add_help_option=False)(_bundle)
    app.callback()(_plugin)
    return app


def _function_of(known: _Command) -> Callable[..., None]:
    from workflowexecution.plugin.shell import with_session

    module = importlib.import_module(f"workflowexecution.plugin.commands.{known.module}")
    return with_session(getattr(module, known.function), known.refused, known.forms)


def _not_loaded() -> None:
    raise AssertionError("a command that is named on the command line is loaded")


def _bundle(context: typer.Context) -> None:
    """Make, check, try and push remediation bundles; its own --help tells more."""
    # Imported here because it imports the whole operator, which no other command needs.
    from workflowexecution.cli import commands

    raise typer.Exit(commands.main(["bundle", *context.args]))


def _plugin() -> None:
    """Look at WorkflowExecutions, ask why, stop them."""


def _application_for(arguments: Sequence[str]) -> typer.Typer:
    """The application that can carry out this command line, or print its help."""
    return application([word for word in arguments if word in COMMANDS])


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
