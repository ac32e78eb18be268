"""``cancel``: stops the run of an execution."""

from dataclasses import dataclass
from typing import Annotated

import typer

from workflowexecution.core.facts.decoding import parse_execution, parse_run
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Asked, RunState
from workflowexecution.core.text import command
from workflowexecution.kube import errors
from workflowexecution.plugin.answers import in_words
from workflowexecution.plugin.parameters import ExecutionName
from workflowexecution.plugin.requests import (
    cluster_of,
    is_kind_unknown,
    name_of_kind,
    read_execution,
)
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import CommandError, Exit
from workflowexecution.views.wording import missing_right


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The result of the command; `run` is empty where none is known."""

    execution: str
    run: str
    is_deleted: bool
    message: str


async def cancel(
    session: Session,
    name: ExecutionName,
    delete: Annotated[
        bool,
        typer.Option(
            "--delete",
            help="Delete the execution instead: the operator then cancels its run. "
            "Needs no right over PipelineRuns, and leaves no record.",
        ),
    ] = False,
) -> Exit | None:
    """Stop what an execution runs; its target is free once nothing of it executes any more."""
    execution = parse_execution(await read_execution(session, name))
    if execution.has_ended:
        raise CommandError(f"{_key(execution)} has ended: it is {execution.phase}")
    if delete:
        cluster = cluster_of(session)
        await cluster.remove_execution(execution.namespace, execution.name, execution.uid)
        said = f"{_key(execution)} is deleted; the operator cancels its run"
    else:
        said = f"{_key(execution)}: {await _cancel_run(session, execution)}"
    done = Cancelled(_key(execution), execution.run_name or "", delete, said)
    session.printer.print_answer(done, name_of_kind(execution.name), said)
    return None


async def _cancel_run(session: Session, execution: Execution) -> str:
    """Ask Tekton to end the run; returns the result, for people."""
    if execution.run_name is None:
        raise CommandError(
            f"{_key(execution)} has no run to cancel; to have none launched, use --delete"
        )
    namespace = execution.run_namespace or session.execution_namespace
    cluster, where = cluster_of(session), f"PipelineRun {namespace}/{execution.run_name}"
    try:
        run = parse_run(await cluster.get_run(namespace, execution.run_name))
        if run is None or run.owner is None or run.owner.uid != execution.uid:
            raise CommandError(f"{where} is not the one that was made for it")
        if run.state is not RunState.ACTIVE:
            see = command("kubectl", "wfe", "locks", "--target", execution.target)
            return f"{where} has ended already; see: {see}"
        if not run.is_cancelled:
            await cluster.cancel_run(run, Asked.CANCEL_FIRST if run.has_finally else Asked.CANCEL)
    except errors.NotFoundError as error:
        if is_kind_unknown(error):
            raise
        raise CommandError(
            f"{where} is deleted already; the execution fails once nothing of it executes"
        ) from error
    except errors.ApiError as error:
        raise _not_cancelled(execution, where, error) from error
    finally_too = ", and its finally tasks run first" if run.has_finally else ""
    return f"{where} is being cancelled{finally_too}"


def _not_cancelled(execution: Execution, where: str, error: errors.ApiError) -> CommandError:
    """The error for a run that cannot be cancelled; it names `--delete` as a way out."""
    if isinstance(error, errors.MissingRightError):
        said = f"{missing_right(str(error))}; with --delete no such right is needed"
        return CommandError(said, Exit.FORBIDDEN)
    is_unknown = isinstance(error, errors.UnavailableError)
    what = "is perhaps not cancelled" if is_unknown else "cannot be cancelled"
    where_it_is = ("-n", execution.namespace, execution.name)
    instead = command("kubectl", "wfe", "cancel", "--delete", *where_it_is)
    said = (
        f"{where} {what}: {in_words(error)}; to have the operator end it in other ways, which "
        f"leaves no record: {instead}"
    )
    return CommandError(said, Exit.UNAVAILABLE if is_unknown else Exit.ERROR)


def _key(execution: Execution) -> str:
    return f"{execution.namespace}/{execution.name}"
