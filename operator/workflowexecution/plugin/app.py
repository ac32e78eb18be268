"""The commands of ``kubectl wfe``, put together."""

import sys

import typer

from workflowexecution.plugin.commands.can_run import can_run
from workflowexecution.plugin.commands.cancel import cancel
from workflowexecution.plugin.commands.clear import clear
from workflowexecution.plugin.commands.cooldowns import list_cooldowns
from workflowexecution.plugin.commands.describe import describe
from workflowexecution.plugin.commands.doctor import doctor
from workflowexecution.plugin.commands.hold import hold, release
from workflowexecution.plugin.commands.holds import list_of_holds
from workflowexecution.plugin.commands.list import list_executions
from workflowexecution.plugin.commands.locks import list_locks
from workflowexecution.plugin.commands.logs import logs
from workflowexecution.plugin.commands.submit import submit
from workflowexecution.plugin.commands.top import top
from workflowexecution.plugin.commands.version import version
from workflowexecution.plugin.commands.watch import watch
from workflowexecution.plugin.commands.why import tell_why
from workflowexecution.plugin.shell import with_session

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
    # Brings with it all that the operator consists of, which nothing else here needs.
    from workflowexecution.cli import commands

    raise typer.Exit(commands.main(["bundle", *context.args]))


@app.callback()
def _plugin() -> None:
    """Look at WorkflowExecutions, ask why, stop them."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    app(sys.argv[1:] if arguments is None else arguments, prog_name="kubectl wfe")
