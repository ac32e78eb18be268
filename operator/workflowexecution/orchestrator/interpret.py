"""The result of an execution, and its meaning for the request."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from workflowexecution.api.status import Phase
from workflowexecution.orchestrator import advice, reading
from workflowexecution.orchestrator.advice import Advice, NextStep
from workflowexecution.orchestrator.naming import is_attempt_at
from workflowexecution.orchestrator.reading import Key, Raw


class Standing(StrEnum):
    """How an execution stands."""

    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    SKIPPED = "Skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpretation:
    """An execution as an orchestrator sees it.

    request: what it was made for; its namespace is the execution's where the reference has none.
    because: why the next step is what it is, one sentence.
    reason: CamelCase token of a failure or skip; empty where there is none.
    summary: what happened, in the operator's words; empty where it said nothing.
    duplicate_of: the execution because of which this one was skipped.
    until: aware UTC; another execution of this workflow on this target is of no use before. None
        where that is not known, as while another run holds the target.
    """

    execution: Key
    request: Key
    standing: Standing
    next_step: NextStep
    because: str
    reason: str = ""
    summary: str = ""
    duplicate_of: Key | None = None
    until: datetime | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it never changes again."""
        return self.standing is not Standing.IN_PROGRESS


def interpret(execution: Mapping[str, Any]) -> Interpretation:
    """Say how an execution stands and what to do with its request.

    A phase that this version does not know is in progress: nothing says that it has ended.

    Args:
        execution: a whole WorkflowExecution as the API server holds it; the status may be missing.
    Raises: nothing, for any object.
    """
    meta, status = reading.mapping(execution, "metadata"), reading.mapping(execution, "status")
    key = Key(reading.text(meta, "namespace"), reading.text(meta, "name"))
    reference = reading.mapping(execution, "spec", "remediationRequestRef")
    active = Interpretation(
        execution=key,
        request=_key(reference, key.namespace) or Key(key.namespace, ""),
        standing=Standing.IN_PROGRESS,
        next_step=advice.WAITING.next_step,
        because=advice.WAITING.because,
    )
    reader = _READERS.get(reading.text(status, "phase"))
    return reader(active, status) if reader else active


def _completed(active: Interpretation, _: Raw) -> Interpretation:
    return _advised(active, Standing.COMPLETED, advice.COMPLETED)


def _failed(active: Interpretation, status: Raw) -> Interpretation:
    details = reading.mapping(status, "failureDetails")
    reason = reading.text(details, "reason") or reading.text(status, "failureReason")
    had_started = details.get("wasExecutionFailure")
    said = advice.advice_for(reason, had_started if isinstance(had_started, bool) else None)
    return dataclasses.replace(
        _advised(active, Standing.FAILED, said),
        reason=reason,
        summary=reading.text(details, "naturalLanguageSummary") or reading.text(details, "message"),
        until=reading.moment(status, "nextAllowedExecution"),
    )


def _skipped(active: Interpretation, status: Raw) -> Interpretation:
    details = reading.mapping(status, "skipDetails")
    reason = reading.text(details, "reason")
    recent = reading.mapping(details, "recentRemediation")
    blocker_ref = reading.mapping(details, "conflictingWorkflow") or recent
    blocker = _key(blocker_ref, active.execution.namespace)
    said = _advice_on_skip(reason, blocker, active)
    remaining = reading.length(recent, "cooldownRemaining")
    return dataclasses.replace(
        _advised(active, Standing.SKIPPED, said),
        reason=reason,
        summary=reading.text(details, "message"),
        duplicate_of=blocker if said.next_step is NextStep.CLOSE_AS_DUPLICATE else None,
        until=reading.later(reading.moment(details, "skippedAt"), remaining),
    )


def _advised(active: Interpretation, standing: Standing, said: Advice) -> Interpretation:
    return dataclasses.replace(
        active, standing=standing, next_step=said.next_step, because=said.because
    )


def _advice_on_skip(reason: str, blocker: Key | None, active: Interpretation) -> Advice:
    said = advice.advice_for_skip(reason)
    if said.next_step is not NextStep.CLOSE_AS_DUPLICATE:
        return said
    if blocker is None:
        return advice.NOT_UNDERSTOOD
    # A request closed as the duplicate of its own earlier attempt would be nobody's any more.
    is_beside = blocker.namespace == active.execution.namespace
    is_own = is_beside and is_attempt_at(active.request.name, blocker.name)
    return advice.OWN_ATTEMPT if is_own else said


_READERS: Final[dict[str, Callable[[Interpretation, Raw], Interpretation]]] = {
    Phase.COMPLETED: _completed,
    Phase.FAILED: _failed,
    Phase.SKIPPED: _skipped,
}


def _key(raw: Raw, namespace: str) -> Key | None:
    """The object a reference names, in this namespace where it names none; None without a name."""
    name = reading.text(raw, "name")
    return Key(reading.text(raw, "namespace") or namespace, name) if name else None
