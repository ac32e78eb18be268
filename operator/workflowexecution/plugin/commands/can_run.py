"""``can-run``: what would be decided now; nothing is created."""

from typing import Annotated, Final

import typer

from workflowexecution.api.target import parse_target
from workflowexecution.plugin.commands.parameters import (
    DEFAULT_COOLDOWN,
    CooldownText,
    cooldown_of,
)
from workflowexecution.plugin.exits import Exit
from workflowexecution.plugin.gather import gather_facts
from workflowexecution.plugin.rendering import Output
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import CommandError
from workflowexecution.plugin.views.preview import Preview, preview

_EXITS: Final = {"Launch": Exit.OK, "Skip": Exit.SKIPPED, "Refuse": Exit.FAILED}


async def can_run(
    session: Session,
    target: Annotated[str, typer.Option(help="Target, e.g. shop/Deployment/cart.")],
    workflow: Annotated[str, typer.Option(help="Workflow id.")],
    cooldown: CooldownText = DEFAULT_COOLDOWN,
) -> Exit | None:
    """Say whether a workflow may run on a target now, as the operator would decide."""
    period = cooldown_of(cooldown)
    facts = await gather_facts(session)
    if facts.unread:
        raise CommandError(f"this cannot be told: {'; '.join(facts.unread)}", Exit.FORBIDDEN)
    found = preview(
        facts,
        target=target,
        workflow_id=workflow,
        problem=_problem_of(target),
        cooldown=period,
        run_namespace=session.execution_namespace,
        now=session.now(),
    )
    _print(session, found)
    return _EXITS[found.decision]


def _print(session: Session, found: Preview) -> None:
    if session.printer.output in (Output.JSON, Output.YAML):
        session.printer.print_document(found)
    elif session.printer.output is Output.NAME:
        session.printer.say(found.decision)
    else:
        why = f" ({found.reason})" if found.reason else ""
        answer = "yes" if found.decision == "Launch" else f"no{why}"
        session.printer.say(f"{answer}: {found.message}")


def _problem_of(target: str) -> str:
    try:
        parse_target(target)
    except ValueError as error:
        return f"spec.targetResource: {error}"
    return ""
