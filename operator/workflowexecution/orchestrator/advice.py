"""The advice after a failure or a skip: a table, with a reason for each row.

The rule: a step that has started may have changed something, and only a person can find out what.
An execution that failed before its first step has changed nothing, so a retry is safe.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from workflowexecution.api.status import FailureReason, SkipReason


class NextStep(StrEnum):
    """The next action of an orchestrator for the request of an execution."""

    WAIT = "Wait"
    CLOSE = "Close"
    CLOSE_AS_DUPLICATE = "CloseAsDuplicate"
    RETRY = "Retry"
    FIX_THEN_RETRY = "FixThenRetry"
    ASK_A_PERSON = "AskAPerson"

    @property
    def needs_a_person(self) -> bool:
        """Whether the orchestrator must not continue without a person."""
        return self in (NextStep.FIX_THEN_RETRY, NextStep.ASK_A_PERSON)


@dataclass(frozen=True, slots=True)
class Advice:
    """A next step, and its reason in one sentence for people."""

    next_step: NextStep
    because: str


_RETRY: Final = NextStep.RETRY
_FIX: Final = NextStep.FIX_THEN_RETRY
_ASK: Final = NextStep.ASK_A_PERSON

# No step had started: nothing was changed.
BEFORE_EXECUTION: Final[dict[FailureReason, Advice]] = {
    FailureReason.RESOURCE_EXHAUSTED: Advice(
        _RETRY, "there was no room for its pods; there may be later"
    ),
    FailureReason.DEADLINE_EXCEEDED: Advice(
        _RETRY, "the cluster did not start it in time; it may be less busy later"
    ),
    FailureReason.CONFIGURATION_ERROR: Advice(
        _FIX, "its spec is not valid; it would fail again until that is corrected"
    ),
    FailureReason.IMAGE_PULL_BACK_OFF: Advice(
        _FIX, "an image cannot be pulled; correct its name, the registry or the access"
    ),
    FailureReason.FORBIDDEN: Advice(
        _FIX, "a right is missing; somebody has to grant it or choose another account"
    ),
    FailureReason.OOM_KILLED: Advice(
        _ASK, "only what has started runs out of memory: the report contradicts itself"
    ),
    FailureReason.TASK_FAILED: Advice(
        _ASK, "only what has started ends with an exit code: the report contradicts itself"
    ),
    FailureReason.UNKNOWN: Advice(
        _ASK, "a person has cancelled it, as the message says, or the cause is not known"
    ),
}

# A step had started: something may have been changed.
DURING_EXECUTION: Final[dict[FailureReason, Advice]] = {
    FailureReason.TASK_FAILED: Advice(_ASK, "a step failed; the target may be half changed"),
    FailureReason.OOM_KILLED: Advice(
        _ASK, "a step was killed because it ran out of memory; the target may be half changed"
    ),
    FailureReason.DEADLINE_EXCEEDED: Advice(
        _ASK, "it was stopped at its time limit; the target may be half changed"
    ),
    FailureReason.RESOURCE_EXHAUSTED: Advice(
        _ASK,
        "its pod was evicted after a step had started; the target may be half changed",
    ),
    FailureReason.FORBIDDEN: Advice(_ASK, "a step lacked a right; the target may be half changed"),
    FailureReason.CONFIGURATION_ERROR: Advice(
        _ASK, "a later task could not run; the changes of earlier tasks remain"
    ),
    FailureReason.IMAGE_PULL_BACK_OFF: Advice(
        _ASK, "the image of a later task could not be pulled; the changes of earlier tasks remain"
    ),
    FailureReason.UNKNOWN: Advice(
        _ASK,
        "a person has cancelled it, as the message says, or the cause is not known; a step had "
        "started, so the target may be half changed",
    ),
}

SKIPPED: Final[dict[SkipReason, Advice]] = {
    SkipReason.RESOURCE_BUSY: Advice(
        NextStep.CLOSE_AS_DUPLICATE, "the target was being changed for another request already"
    ),
    SkipReason.RECENTLY_REMEDIATED: Advice(
        NextStep.CLOSE_AS_DUPLICATE, "the same workflow had just ended on the target"
    ),
    SkipReason.EXHAUSTED_RETRIES: Advice(
        _ASK, "it was tried as often as allowed, and did not help"
    ),
    SkipReason.PREVIOUS_EXECUTION_FAILED: Advice(
        _ASK, "an earlier execution failed after a step had started; the target may be half changed"
    ),
}

OWN_ATTEMPT: Final = Advice(
    _RETRY, "an earlier attempt at the same request was in its way, or had just ended"
)
WAITING: Final = Advice(NextStep.WAIT, "it has not ended")
COMPLETED: Final = Advice(NextStep.CLOSE, "the workflow succeeded")
NOT_UNDERSTOOD: Final = Advice(_ASK, "it ended in a way that this version does not know")
START_UNKNOWN: Final = Advice(
    _ASK, "it is not known whether a step had started; the target may be half changed"
)


def advice_for(reason: str, was_execution_failure: bool | None) -> Advice:
    """Find the advice for a failure.

    Args:
        reason: ``failureDetails.reason``; for an unknown one the advice is to ask a person.
        was_execution_failure: whether a step had started; None where that is not known.
    """
    if was_execution_failure is None:
        return START_UNKNOWN
    table = DURING_EXECUTION if was_execution_failure else BEFORE_EXECUTION
    return table[FailureReason(reason)] if reason in set(FailureReason) else NOT_UNDERSTOOD


def advice_for_skip(reason: str) -> Advice:
    """Find the advice for a skip; ``reason`` is ``skipDetails.reason``."""
    return SKIPPED[SkipReason(reason)] if reason in set(SkipReason) else NOT_UNDERSTOOD
