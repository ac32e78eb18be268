"""``doctor``: checks of the installation."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final

import typer

from workflowexecution.api import identity
from workflowexecution.core.text import one_line
from workflowexecution.kube import errors
from workflowexecution.plugin.doctor import (
    admission,
    cluster,
    images,
    published,
    rights,
    running,
    webhooks,
)
from workflowexecution.plugin.doctor.check import (
    Finding,
    Installation,
    State,
    read_installation,
    unknown,
)
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import Exit, explain

_Check = Callable[[Session, Installation], Awaitable[list[Finding]]]
CHECKS: Final[tuple[tuple[str, _Check], ...]] = (
    ("versions", cluster.check_versions),
    ("definition", cluster.check_definition),
    ("tekton", cluster.check_tekton),
    ("tekton parts", cluster.check_tekton_parts),
    ("bundles", cluster.check_bundles),
    ("clock", cluster.check_clock),
    ("nodes", cluster.check_nodes),
    ("execution namespace", rights.check_execution_namespace),
    ("operator namespace", rights.check_operator_namespace),
    ("quotas", admission.check_quotas),
    ("pod security", admission.check_pod_security),
    ("runner account", rights.check_runner_account),
    ("operator account", rights.check_operator_account),
    ("operator rights", rights.check_operator_rights),
    ("runner rights", rights.check_runner_rights),
    ("operator", running.check_operator),
    ("leader", running.check_leader),
    ("claims", running.check_claims),
    ("settings", published.check_settings),
    ("executions", running.check_unseen),
    ("webhooks", webhooks.check_webhooks),
    ("images", images.check_pods),
    ("pulls", images.check_failures),
)
_ASK: Final = "have somebody bind the role to you, or run this as somebody who has the right"
_INDENT: Final = " " * 9
_STYLES: Final = {
    State.OK: "green",
    State.WARNING: "yellow",
    State.ERROR: "red",
    State.UNKNOWN: "magenta",
}


async def doctor(
    session: Session,
    operator_namespace: Annotated[
        str, typer.Option(help="Namespace of the operator.")
    ] = identity.DEFAULT_OPERATOR_NAMESPACE,
    service_account: Annotated[
        str, typer.Option(help="ServiceAccount of runs, in the execution namespace.")
    ] = identity.DEFAULT_SERVICE_ACCOUNT,
) -> Exit | None:
    """Check all that executions need, and say what to do where something is missing."""
    installation = await read_installation(session, operator_namespace, service_account)
    lacking = list[str]()
    found = await findings_of(session, installation, lacking)
    if session.printer.is_for_people:
        _print(session, found)
    else:
        wrong = "\n".join(item.check for item in found if item.state is not State.OK)
        session.printer.print_answer({"items": found}, wrong, "")
    if any(item.state is State.ERROR for item in found):
        return Exit.ERROR
    return Exit.FORBIDDEN if lacking else None


async def findings_of(
    session: Session, installation: Installation, lacking: list[str]
) -> list[Finding]:
    """The findings of all checks; missing rights are added to ``lacking``."""
    found = list[Finding]()
    for name, check in CHECKS:
        found += await _run(session, installation, name, check, lacking)
    return found


async def _run(
    session: Session, installation: Installation, name: str, check: _Check, lacking: list[str]
) -> list[Finding]:
    """Make one check; a missing right is added to ``lacking``."""
    try:
        return await check(session, installation)
    except errors.UnavailableError:
        raise
    except errors.ApiError as error:
        status, said = explain(error)
        if status is not Exit.FORBIDDEN:
            return [unknown(name, said, "")]
        lacking.append(said)
        return [unknown(name, said, _ASK)]


def _print(session: Session, found: Sequence[Finding]) -> None:
    shown: set[str] = set()
    for finding in found:
        line = one_line(f"{finding.state:<8} {finding.check}: {finding.detail}")
        session.printer.say(line, _STYLES[finding.state], indent=_INDENT)
        if finding.fix and finding.fix not in shown:
            session.printer.say(f"{_INDENT}fix: {one_line(finding.fix)}", indent=f"{_INDENT}  ")
        shown.add(finding.fix)
    session.printer.say(summary_of(found))


def summary_of(found: Sequence[Finding]) -> str:
    """The number of findings by state, and what they mean for executions."""
    counts = Counter(item.state for item in found)
    numbers = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
    if counts[State.ERROR]:
        return f"{numbers}: repair the errors, or executions do not run"
    if counts[State.UNKNOWN]:
        return f"{numbers}: whether executions can run is not fully known"
    return f"{numbers}: executions can run"
