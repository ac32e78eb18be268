"""Explains an execution: the cause of its phase, its progress, and when it may run again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from workflowexecution.api import reading
from workflowexecution.api.reading import parse_duration
from workflowexecution.api.status import UNTIL_CLEARED, WARNINGS, Phase, SkipReason
from workflowexecution.core.diagnosis.explanations import CAUSES, FAILURES, SKIPS, Explanation
from workflowexecution.core.evidence import is_cleared
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.text import (
    AGAIN_IN,
    SKIPPED_UNTIL_CLEARED,
    clear_command,
    command,
    may_run_again,
    runs_no_more,
)
from workflowexecution.views.executions import CANCELLED, blocker_of, reason_of, was_cancelled
from workflowexecution.views.wording import short

if TYPE_CHECKING:
    # It needs all that decides, which takes long to load.
    from workflowexecution.views.preview import Preview

# Explanations by reason: of all skips and all failures.
_EXPLANATIONS: Final[Mapping[str, Explanation]] = {
    **{str(reason): explanation for reason, explanation in SKIPS.items()},
    **{str(reason): explanation for reason, explanation in FAILURES.items()},
}
# For an execution that was skipped for something that is over.
_OVER: Final = (
    "Nothing was run; what this was skipped for is over.",
    "Create a new execution if it is still needed.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The explanation of an execution.

    happened: the operator's message; empty where there is none yet.
    means, to_do: of the reason; empty where it needs no explanation.
    because_of: namespace/name of the execution that caused its skip; empty where there is none.
    warnings: of its conditions, as of parameters that its workflow does not declare.
    again: when an execution like it may run; empty where that is not known.
    """

    execution: str
    target: str
    workflow_id: str
    phase: str
    reason: str
    happened: str
    means: str
    to_do: str
    because_of: str
    warnings: Sequence[str]
    again: str
    may_run_now: bool | None
    until: datetime | None


def why_of(execution: Execution, expected: "Preview | None", now: datetime) -> Why:
    """Explain an execution.

    Args:
        execution: as it is now.
        expected: the decision on a new execution like it; None where that is not known.
        now: aware UTC.
    """
    reason, happened = _reason_of(execution), happened_to(execution)
    of_cause = (known for known in CAUSES.values() if known.to_do in happened)
    explanation = next(of_cause, _EXPLANATIONS.get(reason))
    means, to_do = (explanation.means, explanation.to_do) if explanation else ("", "")
    if clear := _clear_for(execution, expected) if expected else "":
        # Without the full stop, which would be pasted as a part of the name.
        to_do = to_do.replace(f"{clear_command()}.", clear)
    if expected and _is_over(reason, expected):
        means, to_do = _OVER
        happened = happened.partition(SKIPPED_UNTIL_CLEARED)[0]
    return Why(
        execution=f"{execution.namespace}/{execution.name}",
        target=execution.target,
        workflow_id=execution.workflow_id,
        phase=execution.phase or "",
        reason=reason,
        happened=happened,
        means=means,
        to_do=to_do,
        because_of=blocker_of(execution),
        warnings=warnings_of(execution),
        again=_again(execution, expected, now) if expected else "",
        may_run_now=_may_run_now(expected),
        until=expected.until if expected else None,
    )


def _may_run_now(expected: "Preview | None") -> bool | None:
    if expected is None or expected.decision == "Unknown":
        return None
    return expected.decision == "Launch"


def _is_over(reason: str, expected: "Preview") -> bool:
    """Whether a skip has another reason than the next one would have, if that is skipped at all."""
    if expected.decision == "Unknown":
        return False
    if reason in UNTIL_CLEARED:
        return expected.reason not in UNTIL_CLEARED
    return reason in list(SkipReason) and expected.decision == "Launch"


def _reason_of(execution: Execution) -> str:
    """The reason of its skip or failure, also where an earlier operator wrote no condition."""
    if was_cancelled(execution):
        return CANCELLED
    status = reading.mapping(execution.raw, "status")
    skip, failure = (
        reading.mapping(status, "skipDetails"),
        reading.mapping(status, "failureDetails"),
    )
    return reading.text(skip, "reason") or reading.text(failure, "reason") or reason_of(execution)


def progress_of(execution: Execution) -> str:
    """One line of progress: phase, reason, tasks done, run, and what it waits for."""
    if execution.phase is None:
        return "waiting for the operator to see it"
    status = reading.mapping(execution.raw, "status", "pipelineRunStatus")
    done, total = status.get("completedTasks"), status.get("totalTasks")
    reason = reason_of(execution)
    parts = [
        str(execution.phase) + (f" ({reason})" if reason not in ("", execution.phase) else ""),
        f"{done or 0} of {total} tasks done" if total else "",
        f"run {execution.run_name}" if execution.run_name else "",
        happened_to(execution) if execution.phase is Phase.PENDING else "",
    ]
    return ", ".join(part for part in parts if part)


def happened_to(execution: Execution) -> str:
    """The operator's message on an execution, as far as it still holds; empty where there is none.

    The status of an execution that has ended stays as it is when a person clears its failure.
    """
    status = reading.mapping(execution.raw, "status")
    if execution.phase is None:
        return "the operator has not seen it yet; is it running, and does it serve this namespace?"
    conditions = reading.mappings(status, "conditions")
    messages = {reading.text(item, "type"): reading.text(item, "message") for item in conditions}
    skip, failure = (
        reading.mapping(status, "skipDetails"),
        reading.mapping(status, "failureDetails"),
    )
    said = (
        _message_of(skip)
        or reading.text(failure, "naturalLanguageSummary")
        or reading.text(failure, "message")
        or messages.get("Succeeded", "")
    )
    was_cleared = execution.phase is Phase.FAILED and is_cleared(execution.raw)
    return _since_cleared(said, execution) if was_cleared else said


def _message_of(skip: reading.Raw) -> str:
    """The message of a skip; a time that it counted from then is given as a moment."""
    said = reading.text(skip, "message")
    before, found, _ = said.rpartition(AGAIN_IN)
    skipped_at = reading.moment(skip, "skippedAt")
    remaining = reading.text(skip, "recentRemediation", "cooldownRemaining")
    if not (found and skipped_at and remaining):
        return said
    try:
        until = skipped_at + parse_duration(remaining)
    except (ValueError, OverflowError):
        return said
    return f"{before}; it was to wait until {until:%Y-%m-%d %H:%M:%S} UTC"


def _since_cleared(said: str, execution: Execution) -> str:
    """The message on a failure that was cleared, without what it says of the next run."""
    what = (execution.workflow_id, execution.target)
    at = max(said.rfind(f" {begin(*what)} ") for begin in (may_run_again, runs_no_more))
    before = said[:at] if at >= 0 else said
    return f"{before} A person has cleared this: it keeps workflow {what[0]} away no longer."


def warnings_of(execution: Execution) -> list[str]:
    """The messages of the conditions that warn: of its bundle, and of its parameters."""
    conditions = reading.mappings(execution.raw, "status", "conditions")
    return [
        reading.text(item, "message")
        for item in conditions
        if (item.get("type"), item.get("status")) in WARNINGS
    ]


def _again(execution: Execution, expected: "Preview", now: datetime) -> str:
    if expected.decision == "Launch":
        return "now"
    if expected.decision == "Unknown":
        return f"unknown: {expected.message}"
    if expected.decision == "Refuse":
        return f"not with this spec: {expected.message}"
    clear = _clear_for(execution, expected)
    if expected.reason in UNTIL_CLEARED and clear:
        return f"once a person clears it: {clear}"
    if expected.decision == "Wait" and expected.until is None:
        return f"once it is lifted: {command('kubectl', 'wfe', 'release', expected.hold)}"
    if expected.until is not None:
        earlier = f"; earlier once a person clears it: {clear}" if clear else ""
        return f"in {short(expected.until - now)}, at {expected.until:%H:%M:%S} UTC{earlier}"
    holder = expected.skip.conflicting_workflow if expected.skip else None
    if holder is None:
        return f"not yet: {expected.message}"
    who = f"{holder.namespace}/{holder.name}"
    is_itself = who == f"{execution.namespace}/{execution.name}"
    then = "; its cooldown begins then" if holder.workflow_id == execution.workflow_id else ""
    return f"once {'it' if is_itself else who} has ended{then}"


def _clear_for(execution: Execution, expected: "Preview") -> str:
    """The command that clears the failure behind a skip; empty where there is no failure."""
    last = expected.skip.recent_remediation if expected.skip else None
    if last is None or last.outcome != Phase.FAILED:
        return ""
    return clear_command(last.namespace or execution.namespace, last.name)
