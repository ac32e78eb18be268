"""The result of an execution, and its meaning for the request; duplicates are grouped."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.api.status import Phase
from workflowexecution.orchestrator import advice
from workflowexecution.orchestrator.advice import Advice, NextStep
from workflowexecution.orchestrator.build import is_attempt_at


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Namespace and name of an object; names are unique within a namespace only."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """For people: ``namespace/name``."""
        return f"{self.namespace}/{self.name}"


class Standing(StrEnum):
    """The state of an execution."""

    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    SKIPPED = "Skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpretation:
    """An execution as an orchestrator sees it.

    request: in the namespace of the execution, if the reference names none.
    because: the reason for the next step, one sentence.
    reason: CamelCase token of a failure or skip; empty where there is none.
    summary: the operator's message; empty where there is none.
    duplicate_of: the execution that caused the skip of this one.
    duplicate_of_request: its request; None where the operator that skipped it did not know that.
    until: aware UTC; another execution of this workflow on this target is skipped before. None
        where that is not known, for example while another run locks the target.
    """

    execution: Key
    request: Key
    standing: Standing
    next_step: NextStep
    because: str
    reason: str = ""
    summary: str = ""
    duplicate_of: Key | None = None
    duplicate_of_request: Key | None = None
    until: datetime | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it never changes again."""
        return self.standing is not Standing.IN_PROGRESS


def interpret(execution: Mapping[str, Any]) -> Interpretation:
    """Find the state of an execution, and the next step for its request.

    A phase that this version does not know counts as in progress, because it may not have ended.

    Args:
        execution: a whole WorkflowExecution from the API server; the status may be missing.
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
    request_ref = reading.mapping(blocker_ref, "remediationRequestRef")
    request = _key(request_ref, blocker.namespace) if blocker else None
    said = _advice_on_skip(reason, blocker, request, active)
    is_duplicate = said.next_step is NextStep.CLOSE_AS_DUPLICATE
    remaining = _length(reading.text(recent, "cooldownRemaining"))
    return dataclasses.replace(
        _advised(active, Standing.SKIPPED, said),
        reason=reason,
        summary=reading.text(details, "message"),
        duplicate_of=blocker if is_duplicate else None,
        duplicate_of_request=request if is_duplicate else None,
        until=reading.moment(status, "nextAllowedExecution")
        or _later(reading.moment(details, "skippedAt"), remaining),
    )


def _advised(active: Interpretation, standing: Standing, said: Advice) -> Interpretation:
    return dataclasses.replace(
        active, standing=standing, next_step=said.next_step, because=said.because
    )


def _advice_on_skip(
    reason: str, blocker: Key | None, request: Key | None, active: Interpretation
) -> Advice:
    said = advice.advice_for_skip(reason)
    if said.next_step is not NextStep.CLOSE_AS_DUPLICATE:
        return said
    if blocker is None:
        return advice.NOT_UNDERSTOOD
    # A request that is closed as the duplicate of its own earlier attempt is never handled.
    return advice.OWN_ATTEMPT if _is_own_attempt(blocker, request, active) else said


def _is_own_attempt(blocker: Key, request: Key | None, active: Interpretation) -> bool:
    """Whether an execution is for the same request; by its name where its request is not known."""
    if request is not None:
        return request == active.request
    is_beside = blocker.namespace == active.execution.namespace
    return is_beside and is_attempt_at(active.request.name, blocker.name)


_READERS: Final[dict[str, Callable[[Interpretation, Raw], Interpretation]]] = {
    Phase.COMPLETED: _completed,
    Phase.FAILED: _failed,
    Phase.SKIPPED: _skipped,
}


def _key(raw: Raw, namespace: str) -> Key | None:
    """The key of a reference; `namespace` is the default, and None is for a missing name."""
    name = reading.text(raw, "name")
    return Key(reading.text(raw, "namespace") or namespace, name) if name else None


def _length(text: str) -> timedelta | None:
    try:
        return reading.parse_duration(text)
    except ValueError:
        return None


def _later(start: datetime | None, by: timedelta | None) -> datetime | None:
    """The sum of both; None where one is not known or the sum is out of range."""
    if start is None or by is None:
        return None
    try:
        return start + by
    except OverflowError:
        return None


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """All executions that were skipped because of one execution, sorted by name."""

    of: Key
    members: tuple[Interpretation, ...]


def group_duplicates(executions: Iterable[Mapping[str, Any]]) -> tuple[DuplicateGroup, ...]:
    """Group skipped executions by the execution that they duplicate; leave out all others.

    The result is sorted by name. An execution that is given twice counts once, in its last version.
    The execution that is duplicated need not be among those given.

    Raises: nothing, for any objects.
    """
    latest = {item.execution: item for item in map(interpret, executions)}
    groups: dict[Key, list[Interpretation]] = {}
    for key in sorted(latest):
        item = latest[key]
        if item.duplicate_of is not None:
            groups.setdefault(item.duplicate_of, []).append(item)
    return tuple(DuplicateGroup(of, tuple(groups[of])) for of in sorted(groups))
