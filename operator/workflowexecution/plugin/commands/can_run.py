"""``can-run``: what would be decided now; nothing is created."""

from typing import Final

from workflowexecution.api.target import parse_target
from workflowexecution.plugin.commands.parameters import (
    DEFAULT_COOLDOWN,
    CooldownText,
    GuardFailed,
    GuardRetries,
    ThisTarget,
    ThisWorkflow,
    cooldown_of,
    guards_of,
)
from workflowexecution.plugin.exits import Exit
from workflowexecution.plugin.gather import gather_facts
from workflowexecution.plugin.hold_requests import read_holds
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import CommandError
from workflowexecution.views.preview import Preview, preview

_EXITS: Final = {"Launch": Exit.OK, "Skip": Exit.SKIPPED, "Wait": Exit.HELD, "Refuse": Exit.FAILED}


async def can_run(
    session: Session,
    target: ThisTarget,
    workflow: ThisWorkflow,
    cooldown: CooldownText = DEFAULT_COOLDOWN,
    guard_failed: GuardFailed = False,
    guard_retries: GuardRetries = False,
) -> Exit | None:
    """Say whether a workflow may run on a target now, as the operator would decide."""
    period = cooldown_of(cooldown)
    facts = await gather_facts(session, target)
    unread = [*facts.unread]
    holds = await read_holds(session, unread)
    if unread:
        raise CommandError(f"this cannot be told: {'; '.join(unread)}", Exit.FORBIDDEN)
    found = preview(
        facts,
        namespace=session.namespace,
        target=target,
        workflow_id=workflow,
        problem=_problem_of(target),
        cooldown=period,
        run_namespace=session.execution_namespace,
        holds=holds,
        guards=guards_of(guard_failed, guard_retries),
        now=session.now(),
    )
    _print(session, found)
    return _EXITS[found.decision]


def _print(session: Session, found: Preview) -> None:
    why = f" ({found.reason})" if found.reason else ""
    answer = "yes" if found.decision == "Launch" else f"no{why}"
    session.printer.print_answer(found, found.decision, f"{answer}: {found.message}")


def _problem_of(target: str) -> str:
    try:
        parse_target(target)
    except ValueError as error:
        return f"spec.targetResource: {error}"
    return ""
