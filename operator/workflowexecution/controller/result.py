"""What one pass over an execution or a run comes to."""

from dataclasses import dataclass
from typing import Final

from workflowexecution.core.status.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Result:
    """What to write, and when to come back.

    outcome: for the status of the execution; None where there is nothing to write.
    requeue_after: seconds until the next pass; None for: when something happens.
    has_new_facts: whether acting has brought new facts, so that it is decided once more first.
    """

    outcome: Outcome | None = None
    requeue_after: float | None = None
    has_new_facts: bool = False


DECIDE_AGAIN: Final = Result(has_new_facts=True)
