"""``why`` and ``can-run``: explain an execution, and preview the operator's decision.

With the checks that ``submit`` makes, too: of a spec, and of the kind of a target.
"""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, Final

from workflowexecution.api.discovery import TargetFit, check_against, parse_kinds
from workflowexecution.api.inputs import parse_target
from workflowexecution.api.spec import parse_spec
from workflowexecution.api.status import Phase
from workflowexecution.client.cluster import Raw
from workflowexecution.core import pipelinerun
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.kube import errors
from workflowexecution.plugin.gather import gather_facts, read_holds, read_settings
from workflowexecution.plugin.parameters import (
    ExecutionNames,
    ThisTarget,
    ThisWorkflow,
)
from workflowexecution.plugin.requests import name_of_kind, read_execution
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import CommandError, Exit, answer_each, report_unread
from workflowexecution.views.preview import Preview, foretell
from workflowexecution.views.why import Why, why_of
from workflowexecution.views.wording import in_words

_ANSWERS: Final = {"Launch": "yes", "Unknown": "unknown"}
_AGAIN: Final = "when the same may run again"
_EXITS: Final = {"Launch": Exit.OK, "Skip": Exit.SKIPPED, "Wait": Exit.HELD, "Refuse": Exit.FAILED}
# All groups in one answer, in the newest form that the server has.
_AGGREGATED: Final = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
)
_PATHS: Final = ("/api", "/apis")
# What is unknown where the kinds cannot be read.
IS_KIND_SERVED: Final = "whether the cluster serves the kind of the target"


async def tell_why(session: Session, names: ExecutionNames) -> Exit | None:
    """Say why executions were skipped or failed, and when the same may run again."""
    return await answer_each(session, names, partial(_tell_why, session))


async def _tell_why(session: Session, name: str) -> Exit | None:
    raw = await read_execution(session, name)
    execution = parse_execution(raw)
    session.printer.begin_answer()
    settings = await read_settings(session)
    facts = await gather_facts(session, execution.target)
    unread = [*facts.unread]
    holds = await read_holds(session, unread)
    now = session.now()
    basis = settings.basis_for(execution.target, now)
    unserved = basis.not_served(execution.namespace)
    # Whether it would be refused again, as for its ServiceAccount, depends on settings.
    was_refused = execution.phase is Phase.FAILED and not execution.run_name
    depends = basis.rules is None and was_refused
    if depends and settings.lacks_right:
        unread.append(basis.unknown)
    expected = None
    if not unread and not unserved and not depends:
        expected = foretell(
            facts,
            basis,
            namespace=execution.namespace,
            target=execution.target,
            workflow_id=execution.workflow_id,
            problem=spec_problem(raw, basis.allowed_service_accounts),
            run_namespace=session.execution_namespace,
            holds=holds,
            now=now,
        )
    found = why_of(execution, expected, now)
    if session.printer.is_for_people:
        _print(session, found, "not in this namespace" if unserved else "unknown")
    else:
        session.printer.print_answer(found, name_of_kind(execution.name), "")
    for line in filter(None, (unserved, *basis.notes)):
        session.printer.note(f"warning: {line}")
    if depends and not settings.lacks_right:
        session.printer.note(f"unknown: {_AGAIN}: {basis.unknown}")
    lacks = settings.lacks_right and expected is not None and expected.decision == "Unknown"
    return report_unread(session.printer, _AGAIN, unread) or (Exit.FORBIDDEN if lacks else None)


def _print(session: Session, found: Why, otherwise: str) -> None:
    reason = f" ({found.reason})" if found.reason not in ("", found.phase) else ""
    session.printer.say(f"{found.execution} is {found.phase or 'not seen yet'}{reason}")
    session.printer.print_fields(
        {
            "Workflow": f"{found.workflow_id} on {found.target}",
            "What happened": found.happened,
            "Because of": found.because_of,
            "Warning": "; ".join(found.warnings),
            "What it means": found.means,
            "What to do": found.to_do,
            "The same may run": found.again or otherwise,
        }
    )


async def can_run(session: Session, target: ThisTarget, workflow: ThisWorkflow) -> Exit | None:
    """Say whether a workflow may run on a target now, as the operator would decide."""
    settings = await read_settings(session)
    facts = await gather_facts(session, target)
    unread = [*facts.unread]
    holds = await read_holds(session, unread)
    if unread:
        return report_unread(session.printer, "whether it may run", unread)
    now = session.now()
    basis = settings.basis_for(target, now)
    if unserved := basis.not_served(session.namespace):
        raise CommandError(unserved)
    found = foretell(
        facts,
        basis,
        namespace=session.namespace,
        target=target,
        workflow_id=workflow,
        problem=_problem_of(target),
        run_namespace=session.execution_namespace,
        holds=holds,
        now=now,
    )
    _print_decision(session, found)
    is_kind_unread = await _warn_of_kind(session, target)
    for line in basis.notes:
        session.printer.note(f"warning: {line}")
    if found.decision == "Unknown":
        return Exit.FORBIDDEN if settings.lacks_right else Exit.ERROR
    return _EXITS[found.decision] or is_kind_unread or Exit.OK


async def _warn_of_kind(session: Session, target: str) -> Exit | None:
    """Warn of a kind that is not served; returns the exit status for what a right hides."""
    if _problem_of(target):
        return None
    unread: list[str] = []
    fit = await fit_of_target(session, target, unread)
    if fit.problem:
        session.printer.note(f"warning: {fit.problem}")
    if fit.unchecked:
        session.printer.note(f"warning: the kind of the target was not checked: {fit.unchecked}")
    return report_unread(session.printer, IS_KIND_SERVED, unread)


def _print_decision(session: Session, found: Preview) -> None:
    why = f" ({found.reason})" if found.reason else ""
    answer = _ANSWERS.get(found.decision, f"no{why}")
    session.printer.print_answer(found, found.decision, f"{answer}: {found.message}")


def _problem_of(target: str) -> str:
    try:
        parse_target(target)
    except ValueError as error:
        return f"--target: {error}"
    return ""


async def fit_of_target(session: Session, target: str, unread: list[str]) -> TargetFit:
    """Compare a target with the kinds of the cluster; says so where they cannot be read.

    A missing right to read them is added to ``unread``.
    Raises: ValueError where the text is not a target.
    """
    try:
        documents = [await _discover(session, path) for path in _PATHS]
    except errors.ForbiddenError as error:
        unread.append(in_words(error))
        return TargetFit()
    except errors.ApiError as error:
        return TargetFit(unchecked=in_words(error))
    served = parse_kinds(documents)
    if not served.kinds:
        return TargetFit(unchecked="the API server lists its kinds in a form that is not known")
    return check_against(target, served)


async def _discover(session: Session, path: str) -> Raw:
    return await session.client.request("GET", path, accept=_AGGREGATED)


def spec_problem(raw: Mapping[str, Any], allowed_service_accounts: Collection[str] = ()) -> str:
    """The error in the spec of an execution; without allowed ServiceAccounts, any is allowed."""
    spec, problem = parse_spec(raw)
    return pipelinerun.problem_of(spec, allowed_service_accounts) if spec else problem
