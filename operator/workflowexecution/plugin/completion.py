"""Suggestions for the command line: names, targets and workflows that exist.

kubectl asks the program `kubectl_complete-wfe` on the PATH, for whichever shell. A cluster that
does not answer at once, or does not allow it, means no suggestions and no error.
"""

import asyncio
import os
import re
import shlex
import sys
from collections.abc import Callable
from typing import Any, Final

import typer

from workflowexecution.core.facts.execution import Execution, parse_execution
from workflowexecution.kube import errors
from workflowexecution.plugin.gather import cluster_of
from workflowexecution.plugin.rendering import Output
from workflowexecution.plugin.session import Flags, open_session
from workflowexecution.settings import Settings

_PATIENCE_S: Final = 3.0
# What kubectl is told after the suggestions: that files are none.
_NO_FILES: Final = ":4"
_VARIABLE: Final = "_KUBECTL_WFE_COMPLETE"
# Shells evaluate suggestions (that of kubectl for bash up to 1.33: `compgen -W`), and others have
# written them: nothing is suggested that any shell takes for more than itself, or for a flag.
_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@=-]*")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._:/@=, -]")

# A suggestion, and what is said of it.
Suggestion = tuple[str, str]


def complete_name(context: typer.Context, incomplete: str) -> list[Suggestion]:
    """Names of executions, with where each stands."""
    return _suggest(context, incomplete, lambda item: (item.name, _standing(item)))


def complete_target(context: typer.Context, incomplete: str) -> list[Suggestion]:
    """Targets of executions."""
    return _suggest(context, incomplete, lambda item: (item.target, ""))


def complete_workflow(context: typer.Context, incomplete: str) -> list[Suggestion]:
    """Workflow ids of executions."""
    return _suggest(context, incomplete, lambda item: (item.workflow_id, ""))


def _standing(execution: Execution) -> str:
    return f"{execution.phase or 'not seen yet'}, {execution.target}"


def _suggest(
    context: typer.Context, incomplete: str, told: Callable[[Execution], Suggestion]
) -> list[Suggestion]:
    found: dict[str, str] = {}

    def note(execution: Execution) -> None:
        text, about = told(execution)
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
        execution_namespace=Settings.model_fields["execution_namespace"].default,
    )


async def _look(flags: Flags, note: Callable[[Execution], None]) -> None:
    """Show each execution to `note`, as far as that is possible in time."""
    try:
        async with asyncio.timeout(_PATIENCE_S), open_session(flags) as session:
            async for raw in cluster_of(session, session.namespaces).list_executions():
                note(parse_execution(raw))
    except (errors.ApiError, TimeoutError, ValueError, OSError):
        return


def main() -> None:
    """Answer kubectl: each argument is a word typed so far, the last one may be unfinished."""
    # Otherwise Typer knows the forms of answers only where it installs completion itself.
    from typer.completion import completion_init  # type: ignore[attr-defined]

    from workflowexecution.plugin.app import app

    completion_init()
    # Fish's form of an answer is the one kubectl wants: a suggestion, a tab, what is said of it.
    os.environ |= {
        _VARIABLE: "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": shlex.join(["kubectl-wfe", *(sys.argv[1:] or [""])]),
    }
    try:
        app(prog_name="kubectl-wfe", complete_var=_VARIABLE)
    except SystemExit:
        print(_NO_FILES)
