"""``why``: why an execution was skipped or failed, and when the same may run again."""

from workflowexecution.core.facts.execution import parse_execution
from workflowexecution.plugin.commands.parameters import (
    DEFAULT_COOLDOWN,
    CooldownText,
    ExecutionName,
    GuardFailed,
    GuardRetries,
    cooldown_of,
    guards_of,
    spec_problem,
)
from workflowexecution.plugin.exits import Exit
from workflowexecution.plugin.gather import gather_facts
from workflowexecution.plugin.hold_requests import read_holds
from workflowexecution.plugin.locate import name_of_kind, read_execution
from workflowexecution.plugin.rendering import Output
from workflowexecution.plugin.session import Session
from workflowexecution.views.preview import preview
from workflowexecution.views.why import Why, why_of


async def tell_why(
    session: Session,
    name: ExecutionName,
    cooldown: CooldownText = DEFAULT_COOLDOWN,
    guard_failed: GuardFailed = False,
    guard_retries: GuardRetries = False,
) -> Exit | None:
    """Say why an execution was skipped or failed, and when the same may run again."""
    period = cooldown_of(cooldown)
    raw = await read_execution(session, name)
    execution = parse_execution(raw)
    facts = await gather_facts(session, execution.target)
    unread = [*facts.unread]
    holds = await read_holds(session, unread)
    now = session.now()
    foretold = None
    if not unread:
        foretold = preview(
            facts,
            namespace=execution.namespace,
            target=execution.target,
            workflow_id=execution.workflow_id,
            problem=spec_problem(raw),
            cooldown=period,
            run_namespace=session.execution_namespace,
            holds=holds,
            guards=guards_of(guard_failed, guard_retries),
            now=now,
        )
    found = why_of(execution, foretold, now)
    if session.printer.output in (Output.TABLE, Output.WIDE):
        _print(session, found)
    else:
        session.printer.print_answer(found, name_of_kind(execution.name), "")
    for line in unread:
        session.printer.note(f"warning: when the same may run again cannot be told: {line}")
    return None


def _print(session: Session, found: Why) -> None:
    reason = f" ({found.reason})" if found.reason not in ("", found.phase) else ""
    session.printer.say(f"{found.execution} is {found.phase or 'not seen yet'}{reason}")
    session.printer.print_fields(
        {
            "Workflow": f"{found.workflow_id} on {found.target}",
            "What happened": found.happened,
            "Because of": found.because_of,
            "What it means": found.means,
            "What to do": found.to_do,
            "The same may run": found.again,
        }
    )
