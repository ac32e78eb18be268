"""The cost of a workload, as numbers by key."""

from __future__ import annotations

from benchmarks import server_metrics
from benchmarks.distribution import ratio
from benchmarks.meter import Cost
from benchmarks.played import Played

_CONFLICT, _TOO_MANY = 409, 429


def costs_of(cost: Cost, seen: Played) -> dict[str, float]:
    """CPU and requests for each execution, and everything that must not happen."""
    count = len(seen.seen)
    return {
        "cpu_s_per_1000": cost.per_thousand(count),
        "operator_cores": ratio(cost.cpu_s, cost.seconds),
        "server_cores": ratio(cost.server_cpu_s, cost.seconds),
        "requests_each": cost.asked.total / count,
        "writes_each": cost.asked.writes / count,
        "late_s": cost.late_s,
        # By all: orchestrator, operator and Tekton together, as the server counts them itself.
        "server_writes_each": server_metrics.writes(cost.served) / count,
        **{f"each: {kind}": number / count for kind, number in sorted(cost.asked.kinds.items())},
        **troubles_of(cost, seen),
    }


def troubles_of(cost: Cost, seen: Played) -> dict[str, float]:
    """The numbers that have to be zero, or almost zero."""
    return {
        "double_runs": seen.double_runs,
        "not_ended": len(seen.seen) - len(seen.times("ended")),
        "refused_409": cost.asked.refused[_CONFLICT],
        "refused_429": cost.asked.refused[_TOO_MANY] + cost.rejected,
        **{
            f"refused_{code}": number
            for code, number in sorted(cost.asked.refused.items())
            if code not in (_CONFLICT, _TOO_MANY)
        },
        "player_problems": len(seen.problems) + seen.throttled,
    }
