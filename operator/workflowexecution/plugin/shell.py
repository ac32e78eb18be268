"""Typer commands: adds the shared flags, and turns errors into a message and an exit status."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from enum import IntEnum
from typing import Any, get_type_hints

import typer

from workflowexecution.api import identity
from workflowexecution.api.status import Phase
from workflowexecution.kube import errors
from workflowexecution.kube.credentials import CredentialError
from workflowexecution.plugin.flags import (
    SHARED,
    Flags,
    Refused,
    make_flags,
    parameters_of,
    problem_of,
)
from workflowexecution.plugin.rendering import Output, Printer
from workflowexecution.plugin.requests import is_kind_unknown
from workflowexecution.plugin.session import Session, open_session
from workflowexecution.views.wording import in_words, install, missing_right


class Exit(IntEnum):
    """Exit statuses; ``meaning`` is the text of each in the reference."""

    meaning: str

    def __new__(cls, number: int, meaning: str) -> "Exit":
        """Make a member with its meaning."""
        made = int.__new__(cls, number)
        made._value_ = number
        made.meaning = meaning
        return made

    OK = 0, "It is done; of what waits for an end: Completed; of `can-run`: it would be launched."
    ERROR = 1, "It cannot be done as things are; the message says why. Of `doctor`: an error."
    USAGE = 2, "Wrong flags, arguments or file, or no usable kubeconfig."
    NOT_FOUND = 3, "There is no such object."
    FORBIDDEN = 4, "A right is missing, so all or a part of the answer is unknown; it is named."
    UNAVAILABLE = 5, "No way to the cluster: the API server gave no answer, or the login failed."
    FAILED = 10, "The execution ended as Failed; of `can-run`: it would fail at once."
    SKIPPED = 11, "The execution ended as Skipped; of `can-run`: it would be skipped."
    STILL_GOING = 12, "The execution had not ended when the time to wait was over."
    HELD = 13, "Of `can-run`: it would wait, because a person holds it."
    INTERRUPTED = 130, "Ctrl-C was pressed."


def exit_for(phase: Phase | None) -> Exit:
    """The exit status for the phase of an execution."""
    by_phase = {Phase.COMPLETED: Exit.OK, Phase.FAILED: Exit.FAILED, Phase.SKIPPED: Exit.SKIPPED}
    return by_phase.get(phase, Exit.STILL_GOING) if phase else Exit.STILL_GOING


def report_unread(printer: Printer, what: str, unread: Sequence[str]) -> Exit | None:
    """Say what is unknown because rights are missing; returns the exit status for it.

    Args:
        printer: of the command.
        what: is unknown, as the subject of a sentence.
        unread: names each missing right; None is returned where it is empty.
    """
    for line in unread:
        printer.note(f"unknown: {what}: {line}")
    return Exit.FORBIDDEN if unread else None


class CommandError(Exception):
    """A command cannot be carried out; the text says why, and names a fix."""

    def __init__(self, message: str, status: Exit = Exit.ERROR) -> None:
        super().__init__(message)
        self.status = status


def with_session(
    command: Callable[..., Awaitable[Exit | None]],
    refused: Refused,
    forms: frozenset[Output],
) -> Callable[..., None]:
    """Make a Typer command from a function of a session and its own parameters.

    The shared flags come after its own. It returns the exit status; None is 0.

    Args:
        command: the function.
        refused: the shared flags that it has no use for, with what to do instead.
        forms: of its answer.
    """
    shared, annotations = parameters_of(refused)
    own = list(inspect.signature(command).parameters.values())[1:]

    def run(typer_context: typer.Context, **given: Any) -> None:
        try:
            problem = problem_of(typer_context, refused, forms)
            flags = make_flags(**{name: given.pop(name) for name in SHARED})
        except ValueError as error:
            raise typer.Exit(_refuse(str(error))) from error
        if problem:
            raise typer.Exit(_refuse(problem))
        raise typer.Exit(asyncio.run(_carry_out(command, flags, given)))

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__annotations__ = {
        "typer_context": typer.Context,
        **get_type_hints(command, include_extras=True),
        **annotations,
        "return": None,
    }
    context = inspect.Parameter("typer_context", inspect.Parameter.KEYWORD_ONLY)
    parameters = [
        item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in [context, *own, *shared]
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


def _refuse(problem: str) -> Exit:
    Printer(Output.TABLE).note(f"error: {problem}")
    return Exit.USAGE


async def _carry_out(
    command: Callable[..., Awaitable[Exit | None]], flags: Flags, given: dict[str, Any]
) -> Exit:
    try:
        async with open_session(flags) as session:
            return await command(session, **given) or Exit.OK
    except Exception as error:
        status, text = explain(error)
        Printer(flags.output).note(f"error: {text}")
        return status


async def answer_each(
    session: Session, names: Sequence[str], carry_out: Callable[[str], Awaitable[Exit | None]]
) -> Exit | None:
    """Carry a command out for each name; for programs, the answers to several are one List.

    See ``for_each``.
    """
    if len(names) == 1:
        return await carry_out(names[0])
    with session.printer.one_list():
        return await for_each(session, names, carry_out)


async def for_each(
    session: Session, names: Sequence[str], carry_out: Callable[[str], Awaitable[Exit | None]]
) -> Exit | None:
    """Do something for each name, in order, also after an error as kubectl does.

    Returns: the first exit status that is not 0, if there is one.
    Raises: what it raises for a single name; with several, only that the cluster cannot be asked.
    """
    if len(names) == 1:
        return await carry_out(names[0])
    statuses = []
    for name in dict.fromkeys(names):
        try:
            statuses.append(await carry_out(name))
        except (errors.UnavailableError, CredentialError):
            raise
        except Exception as error:
            status, text = explain(error)
            session.printer.note(f"error: {text}")
            statuses.append(status)
    return next(filter(None, statuses), None)


def explain(error: Exception) -> tuple[Exit, str]:
    """The exit status and message for an error; an unexpected error is raised again.

    So is BrokenPipeError, as when `head` has read enough: Typer ends the command without a message.
    """
    match error:
        case CommandError():
            return error.status, str(error)
        case errors.ApiError():
            return _explain_answer(error)
        case CredentialError():
            return Exit.UNAVAILABLE, str(error)
        case ValueError() | OSError() if not isinstance(error, BrokenPipeError):
            return Exit.USAGE, str(error)
        case _:
            raise error


def _explain_answer(error: errors.ApiError) -> tuple[Exit, str]:
    said = in_words(error)
    match error:
        case errors.MissingRightError():
            return Exit.FORBIDDEN, said
        case errors.ForbiddenError() if missing_right(str(error)) != str(error):
            return Exit.FORBIDDEN, said
        case errors.NotFoundError() if is_kind_unknown(error):
            return Exit.ERROR, _not_served(error)
        case errors.NotFoundError():
            return Exit.NOT_FOUND, said
        case errors.UnknownCallerError():
            return Exit.UNAVAILABLE, f"{_unknown(error)}: {said}"
        case errors.UnavailableError():
            return Exit.UNAVAILABLE, f"{said}; is it the cluster you mean? kubectl cluster-info"
        case _:
            return Exit.ERROR, said


def _not_served(error: errors.ApiError) -> str:
    if identity.GROUP in str(error):
        return f"this cluster does not define the kinds of the operator; {install('crd')}"
    if "selfsubjectreviews" in str(error):
        return "this cluster does not tell users their names; Kubernetes does so from 1.28"
    return "this cluster does not serve Tekton's kinds; install Tekton Pipelines"


def _unknown(error: errors.UnknownCallerError) -> str:
    if error.status == 403:
        fix = "the kubeconfig has no token, certificate or credential plugin that the cluster takes"
        return f"nobody is signed in ({fix})"
    return "the API server does not know who asks (the login has expired or is wrong; log in again)"
