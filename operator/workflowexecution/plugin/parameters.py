"""Parameters of several commands, and completion of their values from the cluster.

Without a fast answer of the cluster, or without rights, there are no suggestions and no error.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import typer

from workflowexecution.api import identity
from workflowexecution.api.inputs import check_target
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import REASON_MAX, Execution
from workflowexecution.core.text import one_line
from workflowexecution.kube import errors
from workflowexecution.plugin.flags import Flags
from workflowexecution.plugin.rendering import Output
from workflowexecution.plugin.requests import cluster_of
from workflowexecution.plugin.session import open_session

_PATIENCE_S: Final = 3.0
# Users choose the names that are suggested, and some shells evaluate suggestions (`compgen -W` of
# kubectl up to 1.33 for bash): only text that no shell expands or takes for a flag is suggested.
_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@=-]*")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._:/@=, -]")
# A suggestion and its description.
Suggestion = tuple[str, str]


def complete_name(context: typer.Context, incomplete: str) -> list[Suggestion]:
    """Names of executions, with phase and target; without those that are typed already."""
    typed = context.params.get("names") or ()
    found = _suggest(context, incomplete, lambda item: (item.name, _about(item)))
    return [(name, about) for name, about in found if name not in typed]


def complete_target(context: typer.Context, incomplete: str) -> list[Suggestion]:
    """Targets of executions."""
    return _suggest(context, incomplete, lambda item: (item.target, ""))


def complete_workflow(context: typer.Context, incomplete: str) -> list[Suggestion]:
    """Workflow ids of executions."""
    return _suggest(context, incomplete, lambda item: (item.workflow_id, ""))


def _about(execution: Execution) -> str:
    return f"{execution.phase or 'not seen yet'}, {execution.target}"


def _suggest(
    context: typer.Context, incomplete: str, suggestion_of: Callable[[Execution], Suggestion]
) -> list[Suggestion]:
    found: dict[str, str] = {}

    def note(execution: Execution) -> None:
        text, about = suggestion_of(execution)
        if text.startswith(incomplete) and _SAFE.fullmatch(text):
            found.setdefault(text, _UNSAFE.sub("?", about))

    asyncio.run(_look(_flags_of(context.params), note))
    return sorted(found.items())


def _flags_of(given: dict[str, Any]) -> Flags:
    return Flags(
        namespace=given.get("namespace"),
        all_namespaces=bool(given.get("all_namespaces")),
        output=Output.TABLE,
        context=given.get("context"),
        kubeconfig=given.get("kubeconfig"),
        execution_namespace=identity.DEFAULT_EXECUTION_NAMESPACE,
    )


async def _look(flags: Flags, note: Callable[[Execution], None]) -> None:
    """Call `note` with each execution, until an error or the end of the time limit."""
    try:
        async with asyncio.timeout(_PATIENCE_S), open_session(flags) as session:
            async for raw in cluster_of(session, session.namespaces).list_executions():
                note(parse_execution(raw))
    except (errors.ApiError, TimeoutError, ValueError, OSError):
        return


ExecutionName = Annotated[
    str,
    typer.Argument(
        help="NAME of the execution, wfe/NAME, or NAMESPACE/NAME as other commands print it.",
        autocompletion=complete_name,
    ),
]


ExecutionNames = Annotated[
    list[str],
    typer.Argument(
        help="NAMES of executions, wfe/NAME, or NAMESPACE/NAME as other commands print it.",
        autocompletion=complete_name,
    ),
]


def _target_or_none(given: str) -> str:
    """Refuse text that is not a target, since its list would always be empty."""
    try:
        return check_target(given) if given else ""
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


OnlyTarget = Annotated[
    str,
    typer.Option(
        "--target",
        callback=_target_or_none,
        help="Only what is on this target, e.g. shop/Deployment/cart.",
        autocompletion=complete_target,
    ),
]
Selector = Annotated[
    str,
    typer.Option("--selector", "-l", help="Only those with these labels, e.g. team=payment."),
]
OnlyWorkflow = Annotated[
    str,
    typer.Option(
        "--workflow", help="Only what is of this workflow id.", autocompletion=complete_workflow
    ),
]
ThisTarget = Annotated[
    str,
    typer.Option(
        "--target", help="Target, e.g. shop/Deployment/cart.", autocompletion=complete_target
    ),
]
ThisWorkflow = Annotated[
    str, typer.Option("--workflow", help="Workflow id.", autocompletion=complete_workflow)
]


def reason_of(given: str) -> str:
    """The text of ``--reason`` on one line. Raises: ValueError where it is too long."""
    text = " ".join(one_line(given).split())
    if len(text) > REASON_MAX:
        raise ValueError(f"--reason has {len(text)} characters; write at most {REASON_MAX}")
    return text


def in_flags(problem: str, flags: Mapping[str, str]) -> str:
    """The problem of a spec, in the words of a command line.

    Args:
        problem: names fields, as `parse_spec` says it.
        flags: by field.
    """
    for field, flag in flags.items():
        problem = re.sub(rf"(?<![\w.]){re.escape(field)}(?=[:.\[])", flag, problem)
    return problem.replace(": Field required", " is missing")
