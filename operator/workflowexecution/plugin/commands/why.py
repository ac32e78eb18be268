"""``why`` and ``can-run``: explain an execution, and preview the operator's decision."""

from typing import Final

from workflowexecution.api.duration import parse_duration
from workflowexecution.api.target import parse_target
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.plugin.gather import gather_facts
from workflowexecution.plugin.parameters import (
    DEFAULT_COOLDOWN,
    CooldownText,
    ExecutionName,
    GuardFailed,
    GuardRetries,
    ThisTarget,
    ThisWorkflow,
    guards_of,
    spec_problem,
)
from workflowexecution.plugin.requests import name_of_kind, read_execution, read_holds
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import Exit, report_unread
from workflowexecution.views.preview import Preview, preview
from workflowexecution.views.why import Why, why_of

_EXITS: Final = {"Launch": Exit.OK, "Skip": Exit.SKIPPED, "Wait": Exit.HELD, "Refuse": Exit.FAILED}


async def tell_why(
    session: Session,
    name: ExecutionName,
    cooldown: CooldownText = DEFAULT_COOLDOWN,
    guard_failed: GuardFailed = False,
    guard_retries: GuardRetries = False,
) -> Exit | None:
    """Say why an execution was skipped or failed, and when the same may run again."""
    period = parse_duration(cooldown)
    raw = await read_execution(session, name)
    execution = parse_execution(raw)
    facts = await gather_facts(session, execution.target)
    unread = [*facts.unread]
    holds = await read_holds(session, unread)
    now = session.now()
    expected = None
    if not unread:
        expected = preview(
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
    found = why_of(execution, expected, now)
    if session.printer.is_for_people:
        _print(session, found)
    else:
        session.printer.print_answer(found, name_of_kind(execution.name), "")
    return report_unread(session.printer, "when the same may run again", unread)


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
            "The same may run": found.again or "unknown",
        }
    )


async def can_run(
    session: Session,
    target: ThisTarget,
    workflow: ThisWorkflow,
    cooldown: CooldownText = DEFAULT_COOLDOWN,
    guard_failed: GuardFailed = False,
    guard_retries: GuardRetries = False,
) -> Exit | None:
    """Say whether a workflow may run on a target now, as the operator would decide."""
    period = parse_duration(cooldown)
    facts = await gather_facts(session, target)
    unread = [*facts.unread]
    holds = await read_holds(session, unread)
    if unread:
        return report_unread(session.printer, "whether it may run", unread)
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
    _print_decision(session, found)
    return _EXITS[found.decision]


def _print_decision(session: Session, found: Preview) -> None:
    why = f" ({found.reason})" if found.reason else ""
    answer = "yes" if found.decision == "Launch" else f"no{why}"
    session.printer.print_answer(found, found.decision, f"{answer}: {found.message}")


def _problem_of(target: str) -> str:
    try:
        parse_target(target)
    except ValueError as error:
        return f"--target: {error}"
    return ""
