"""What to do about a failure or a skip: a table, with a reason for every row.

The rule behind it: once a step has started, something may have been changed, and only a person can
tell what. What failed before that has changed nothing, and may be retried if a retry can help.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from workflowexecution.api.status import FailureReason, SkipReason


class NextStep(StrEnum):
    """What an orchestrator does with the request of an execution."""

    WAIT = "Wait"
    CLOSE = "Close"
    CLOSE_AS_DUPLICATE = "CloseAsDuplicate"
    RETRY = "Retry"
    FIX_THEN_RETRY = "FixThenRetry"
    ASK_A_PERSON = "AskAPerson"

    @property
    def needs_a_person(self) -> bool:
        """Whether nothing good can come of going on alone."""
        return self in (NextStep.FIX_THEN_RETRY, NextStep.ASK_A_PERSON)


@dataclass(frozen=True, slots=True)
class Advice:
    """A next step, and why, in one sentence for people."""

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
        _FIX, "it cannot run as it is written; it would fail again until that is corrected"
    ),
    FailureReason.IMAGE_PULL_BACK_OFF: Advice(
        _FIX, "an image cannot be pulled; its name, the registry or the access must be put right"
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
        _ASK, "the cause is not known; somebody may have stopped or deleted it on purpose"
    ),
}

# A step had started: something may have been changed.
DURING_EXECUTION: Final[dict[FailureReason, Advice]] = {
    FailureReason.TASK_FAILED: Advice(
        _ASK, "a step failed after work had begun; the target may be half changed"
    ),
    FailureReason.OOM_KILLED: Advice(
        _ASK, "it was killed at work for lack of memory; the target may be half changed"
    ),
    FailureReason.DEADLINE_EXCEEDED: Advice(
        _ASK, "it was stopped at work when its time was up; the target may be half changed"
    ),
    FailureReason.RESOURCE_EXHAUSTED: Advice(
        _ASK,
        "it lost its place in the cluster after work had begun; the target may be half changed",
    ),
    FailureReason.FORBIDDEN: Advice(
        _ASK, "it was refused a right after work had begun; the target may be half changed"
    ),
    FailureReason.CONFIGURATION_ERROR: Advice(
        _ASK, "a later task could not run; what earlier ones did stands"
    ),
    FailureReason.IMAGE_PULL_BACK_OFF: Advice(
        _ASK, "a later task's image could not be pulled; what earlier ones did stands"
    ),
    FailureReason.UNKNOWN: Advice(
        _ASK, "it ended at work for a cause that is not known; the target may be half changed"
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
        _ASK, "an earlier execution failed at work; the target may be half changed"
    ),
}

OWN_ATTEMPT: Final = Advice(
    _RETRY, "an earlier attempt at the same request was in its way, or had just ended"
)
WAITING: Final = Advice(NextStep.WAIT, "it has not ended")
COMPLETED: Final = Advice(NextStep.CLOSE, "the workflow ran to a good end")
NOT_UNDERSTOOD: Final = Advice(_ASK, "it ended in a way that this version does not know")
NOTHING_TOLD: Final = Advice(
    _ASK, "it is not known whether a step had started; the target may be half changed"
)


def advice_for(reason: str, was_execution_failure: bool | None) -> Advice:
    """Say what to do about a failure.

    Args:
        reason: ``failureDetails.reason``; one that is not in the tables is for a person.
        was_execution_failure: whether a step had started; None where that is not known.
    """
    if was_execution_failure is None:
        return NOTHING_TOLD
    table = DURING_EXECUTION if was_execution_failure else BEFORE_EXECUTION
    return table[FailureReason(reason)] if reason in set(FailureReason) else NOT_UNDERSTOOD


def advice_for_skip(reason: str) -> Advice:
    """Say what to do about a skip; ``reason`` is ``skipDetails.reason``."""
    return SKIPPED[SkipReason(reason)] if reason in set(SkipReason) else NOT_UNDERSTOOD
