"""What comes of acting on a verdict."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from workflowexecution.core.status.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Result:
    """What to write into the status, None for nothing; and when to look again, in seconds."""

    outcome: Outcome | None = None
    again_after: float | None = None


class NewFacts(Enum):
    """Acting has brought new facts: decide again."""

    FOUND = "found"


NEW_FACTS: Final = NewFacts.FOUND
ActionResult = Result | NewFacts
