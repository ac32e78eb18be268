"""The targets that the operator has to reach; no other place has such a bound."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on one number: at least or at most."""

    least: float = -math.inf
    most: float = math.inf

    def is_reached(self, value: float) -> bool:
        """Whether a value keeps to it; what was not measured does not."""
        return self.least <= value <= self.most

    def __str__(self) -> str:
        """As people write it."""
        if self.least == self.most:
            return f"= {self.least:g}"
        if math.isinf(self.least):
            return f"≤ {self.most:g}"
        return f"≥ {self.least:g}" if math.isinf(self.most) else f"{self.least:g} to {self.most:g}"


def _burst() -> dict[str, Target]:
    found: dict[str, Target] = {}
    for size in (300, 1000):
        found |= {
            f"burst.{size}.to_f1": Target(least=0.6),
            f"burst.{size}.to_f1_with_our_writes": Target(least=0.8),
            f"burst.{size}.refused_429": Target(0, 0),
            f"burst.{size}.writes_each": Target(most=5),
            f"burst.{size}.double_runs": Target(0, 0),
            f"burst.{size}.not_ended": Target(0, 0),
            f"burst.{size}.rss_peak_mb": Target(most=110),
            f"burst.{size}.gc_longest_ms": Target(most=30),
        }
    return found


def _reactions(workload: str) -> dict[str, Target]:
    """The time that it may take, kopf included, as a multiple of the bare reactor's."""
    return {
        f"{workload}.created_run_p50_to_f2": Target(most=1.5),
        f"{workload}.created_run_p99_to_f2": Target(most=3),
        f"{workload}.ended_status_p50_to_f2": Target(most=1.6),
        f"{workload}.ended_status_p99_to_f2": Target(most=3),
        f"{workload}.double_runs": Target(0, 0),
        f"{workload}.not_ended": Target(0, 0),
    }


def _light() -> dict[str, Target]:
    return {**_reactions("light"), "light.cpu_s_per_1000": Target(most=7)}


def _cold() -> dict[str, Target]:
    found = {"cold.idle.rss_mb": Target(most=75)}
    for size in ("10000x2500", "10000x10000"):
        found |= {
            f"cold.{size}.ready_to_f3": Target(most=2),
            f"cold.{size}.rss_mb": Target(most=100),
            f"cold.{size}.rss_peak_mb": Target(most=140),
            f"cold.{size}.writes_for_old": Target(0, 0),
        }
    return found


def _stored() -> dict[str, Target]:
    found: dict[str, Target] = {}
    for key in ("rss_mb", "rss_peak_mb"):
        # A tenth more or less than beside ten thousand.
        found[f"stored.{key}_ratio"] = Target(0.9, 1.1)
    for size in (10_000, 100_000):
        found[f"stored.{size}.rss_mb"] = Target(most=100)
        found[f"stored.{size}.rss_peak_mb"] = Target(most=140)
        found[f"stored.{size}.ready_to_f3"] = Target(most=2)
        found[f"stored.{size}.writes_for_old"] = Target(0, 0)
    return found


TARGETS: dict[str, Target] = {
    **_burst(),
    # At 20 a second the machine is full: what waits then waits in the API server.
    **_reactions("paced.5"),
    "paced.20.double_runs": Target(0, 0),
    "paced.20.not_ended": Target(0, 0),
    **_light(),
    **_cold(),
    **_stored(),
    "storm.runs": Target(1, 1),
    "storm.status_writes_each": Target(most=1.05),
    "storm.double_runs": Target(0, 0),
    "still.requests": Target(0, 0),
    "still.all_told_s": Target(most=2),
    "still.double_runs": Target(0, 0),
    "flat.cpu_s_per_1000_ratio": Target(least=0.85, most=1.15),
    "flat.requests_each_ratio": Target(least=0.85, most=1.15),
    "resync.loop_lag_max_ms": Target(most=50),
    "resync.probe_p99_ms": Target(most=50),
    "resync.writes": Target(0, 0),
    **{f"shards.{count}.double_runs": Target(0, 0) for count in (1, 2, 3)},
    **{f"shards.{count}.not_ended": Target(0, 0) for count in (1, 2, 3)},
    "kill.runs": Target(300, 300),
    "kill.completed": Target(300, 300),
    "kill.double_runs": Target(0, 0),
}
