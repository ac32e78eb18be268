"""One workload played: by the player and the operator, or by the player and the bare reactor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.distribution import summary_ms
from benchmarks.rig import Ground, Rig
from benchmarks.worker import Worker

# At least as large as what Tekton writes for a pipeline of a few tasks.
STATUS_BYTES = 10_000
IN_FLIGHT = 32
ORDER = {
    "prefix": "wfe",
    "target": "",
    "spec": {},
    "rate": 0,
    "seed": 1,
    "in_flight": IN_FLIGHT,
    "run_events": 1,
    "life_s": 0.0,
    "hold": False,
    "milestone": 0,
    "status_bytes": STATUS_BYTES,
    "deadline_s": 600.0,
}


@dataclass(frozen=True, slots=True)
class Played:
    """The observations of the player: times of the monotonic clock, one dict for each execution."""

    began: float
    seen: list[dict[str, Any]]
    runs: int
    double_runs: int
    requests: int
    throttled: int
    problems: list[str]

    @property
    def seconds(self) -> float:
        """From the first creation to the last end that was seen."""
        return max(self.times("ended"), default=self.began) - self.began

    @property
    def throughput(self) -> float:
        """Executions a second, from the first creation to the last end."""
        return len(self.times("ended")) / self.seconds if self.seconds else 0.0

    def times(self, what: str) -> list[float]:
        """The times at which it was seen, of all executions of which it was."""
        return sorted(one[what] for one in self.seen if one[what] is not None)

    def between(self, first: str, then: str) -> list[float]:
        """Seconds between two things seen, of all executions of which both were.

        Two watches are two connections: what came second may be read first.
        """
        return [
            max(one[then] - one[first], 0.0)
            for one in self.seen
            if one[first] is not None and one[then] is not None
        ]

    def latencies(self) -> dict[str, float]:
        """Percentiles of both reactions, in milliseconds."""
        return summary_ms("created_run", self.between("created", "run")) | summary_ms(
            "ended_status", self.between("run_ended", "ended")
        )

    def count(self, phase: str) -> int:
        """The number of executions that ended, or are, in a phase."""
        return sum(one["phase"] == phase for one in self.seen)


@contextmanager
def player(rig: Rig, ground: Ground, **what: Any) -> Iterator[Worker]:
    """A player that is ready to go."""
    with rig.working("player", rig.order(ground, **{**ORDER, **what})) as worker:
        worker.until("ready", 30)
        yield worker


def result_of(worker: Worker, seconds: float = 630.0) -> Played:
    """Wait for the end of what is played."""
    told = worker.until("done", seconds)
    del told["at"]
    return Played(**told)
