"""How requests to the API server were answered: counted as they end, read when metrics are."""

from collections import Counter, defaultdict
from typing import Final

# Stands where a status would: a time-out, a lost connection, a request that was given up.
NO_ANSWER: Final = 0


class RequestTally:
    """Counts that only grow.

    answers: number of requests by verb and HTTP status; NO_ANSWER where there was none.
    seconds: time that requests took in all, by verb; streams are counted and not timed.
    """

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, int]] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def note(self, verb: str, status: int, seconds: float | None = None) -> None:
        """Count one request."""
        self.answers[verb, status] += 1
        if seconds is not None:
            self.seconds[verb] += seconds
