"""``cancel``: stops the run of an execution, and notes who did so and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from workflowexecution.core.facts.decoding import parse_execution, parse_run
from workflowexecution.core.facts.execution import Cancellation, Execution, cancellation_of
from workflowexecution.core.facts.run import Asked, Run, RunState
from workflowexecution.core.text import command
from workflowexecution.kube import errors
from workflowexecution.plugin.last_lines import StepLines, print_lines, read_last_lines
from workflowexecution.plugin.parameters import ExecutionNames, reason_of
from workflowexecution.plugin.requests import (
    cluster_of,
    is_kind_unknown,
    name_of_kind,
    read_execution,
    user_name,
)
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import CommandError, Exit, answer_each, explain
from workflowexecution.views.wording import in_words, missing_right


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The result of the command.

    run: empty where none is known.
    cancellation: as noted on the run; None where nothing is.
    logs: the last lines of the steps that were running, whose pods Tekton deletes.
    """

    execution: str
    run: str
    is_deleted: bool
    message: str
    cancellation: Cancellation | None = None
    logs: Sequence[StepLines] = ()


async def cancel(
    session: Session,
    names: ExecutionNames,
    reason: Annotated[
        str, typer.Option(help="Why; noted on the run with your name and the time.")
    ] = "",
    delete: Annotated[
        bool,
        typer.Option(
            "--delete",
            help="Delete the execution instead: the operator then cancels its run. "
            "Needs no right over PipelineRuns, and leaves no record.",
        ),
    ] = False,
) -> Exit | None:
    """Stop what executions run; a target is free once nothing of it executes any more."""
    why = _checked(reason, is_deleted=delete)
    return await answer_each(
        session, names, lambda name: _cancel(session, name, why, delete=delete)
    )


async def _cancel(session: Session, name: str, why: str, *, delete: bool) -> Exit | None:
    execution = parse_execution(await read_execution(session, name))
    if execution.has_ended:
        raise CommandError(f"{_key(execution)} has ended: it is {execution.phase}")
    if delete:
        cluster = cluster_of(session)
        await cluster.remove_execution(execution.namespace, execution.name, execution.uid)
        then = "the operator cancels its run" if execution.run_name else "no run of it is known"
        said = f"{_key(execution)} is deleted; {then}"
        done = Cancelled(_key(execution), execution.run_name or "", delete, said)
    else:
        done = await _cancel_run(session, execution, why)
    session.printer.print_answer(done, name_of_kind(execution.name), done.message)
    if session.printer.is_for_people:
        for item in done.logs:
            print_lines(session, item)
    return None


def _checked(reason: str, *, is_deleted: bool) -> str:
    """The reason on one line. Raises: CommandError where it cannot be noted."""
    text = reason_of(reason)
    if text and is_deleted:
        raise CommandError(
            "--reason is noted on the run, and --delete leaves no record: give one of them",
            Exit.USAGE,
        )
    return text


async def _cancel_run(session: Session, execution: Execution, reason: str) -> Cancelled:
    """Ask Tekton to end the run."""
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
        if run.state is not RunState.ACTIVE or run.is_cancelled:
            return _done(execution, f"{where} {_stands(run, execution, reason)}")
        by = cancellation_of(await _user(session), session.now(), reason)
        # They are read first: Tekton deletes the pods of tasks that it cancels.
        logs = await read_last_lines(session, run)
        await cluster.cancel_run(run, Asked.CANCEL_FIRST if run.has_finally else Asked.CANCEL, by)
    except errors.NotFoundError as error:
        if is_kind_unknown(error):
            raise
        raise CommandError(
            f"{where} is deleted already; the execution fails once nothing of it executes"
        ) from error
    except errors.ApiError as error:
        raise _not_cancelled(execution, where, error) from error
    finally_too = ", and its finally tasks run first" if run.has_finally else ""
    return _done(execution, f"{where} is being cancelled{finally_too}", by, logs)


async def _user(session: Session) -> str:
    """The name of the user. Raises: CommandError where the cluster does not tell it."""
    try:
        return await user_name(session)
    except errors.ApiError as error:
        status, said = explain(error)
        text = f"nothing is cancelled, because it is not known who you are: {said}"
        raise CommandError(
            f"{text}; --delete needs no name, and leaves no record", status
        ) from error


def _done(
    execution: Execution,
    said: str,
    by: Cancellation | None = None,
    logs: Sequence[StepLines] = (),
) -> Cancelled:
    key = _key(execution)
    return Cancelled(key, execution.run_name or "", False, f"{key}: {said}", by, logs)


def _stands(run: Run, execution: Execution, reason: str) -> str:
    """The state of a run that need not be cancelled."""
    if run.state is not RunState.ACTIVE:
        see = command("kubectl", "wfe", "locks", "--target", execution.target)
        return f"has ended already; see: {see}"
    who = f", {run.cancellation.by_whom}" if run.cancellation else ""
    return f"is being cancelled already{who}" + ("; your reason is not noted" if reason else "")


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
