"""The Typer application with all commands of ``kubectl wfe``."""

import os
import shlex
import sys
from typing import Final

import typer

from workflowexecution.plugin.commands.blockers import (
    hold,
    list_cooldowns,
    list_locks,
    list_of_holds,
    release,
)
from workflowexecution.plugin.commands.cancel import cancel
from workflowexecution.plugin.commands.clear import clear
from workflowexecution.plugin.commands.describe import describe
from workflowexecution.plugin.commands.doctor import doctor, version
from workflowexecution.plugin.commands.executions import list_executions, top, watch
from workflowexecution.plugin.commands.logs import logs
from workflowexecution.plugin.commands.submit import submit
from workflowexecution.plugin.commands.why import can_run, tell_why
from workflowexecution.plugin.shell import with_session

# The last line for kubectl: a directive not to suggest files.
_NO_FILES: Final = ":4"
_VARIABLE: Final = "_KUBECTL_WFE_COMPLETE"

app = typer.Typer(
    name="kubectl wfe",
    help="Look at WorkflowExecutions, ask why, stop them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("list")(with_session(list_executions))
app.command("describe")(with_session(describe))
app.command("watch")(with_session(watch))
app.command("logs")(with_session(logs))
app.command("locks")(with_session(list_locks))
app.command("cooldowns")(with_session(list_cooldowns))
app.command("why")(with_session(tell_why))
app.command("can-run")(with_session(can_run))
app.command("cancel")(with_session(cancel))
app.command("hold")(with_session(hold))
app.command("holds")(with_session(list_of_holds))
app.command("release")(with_session(release))
app.command("clear")(with_session(clear))
app.command("submit")(with_session(submit))
app.command("top")(with_session(top))
app.command("doctor")(with_session(doctor))
app.command("version")(with_session(version))


@app.command(
    "bundle",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def _bundle(context: typer.Context) -> None:
    """Check, list, render and push remediation bundles; its own --help tells more."""
    # Imported here because it imports the whole operator, which no other command needs.
    from workflowexecution.cli import commands

    raise typer.Exit(commands.main(["bundle", *context.args]))


@app.callback()
def _plugin() -> None:
    """Look at WorkflowExecutions, ask why, stop them."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    app(sys.argv[1:] if arguments is None else arguments, prog_name="kubectl wfe")


def complete() -> None:
    """Print completions for kubectl, which runs `kubectl_complete-wfe` for all shells.

    The arguments are the words typed so far; the last one may be incomplete.
    """
    # Typer registers its completion classes only when it installs completion, so do it here.
    from typer.completion import completion_init  # type: ignore[attr-defined]

    completion_init()
    # kubectl wants the format of fish: a suggestion, a tab, a description.
    os.environ |= {
        _VARIABLE: "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": shlex.join(["kubectl-wfe", *(sys.argv[1:] or [""])]),
    }
    try:
        app(prog_name="kubectl-wfe", complete_var=_VARIABLE)
    except SystemExit:
        print(_NO_FILES)
