"""Measures the cost of one execution beside a hundred that are stored, and beside ten thousand."""

from __future__ import annotations

from benchmarks.costs import costs_of
from benchmarks.distribution import ratio
from benchmarks.meter import measured
from benchmarks.played import STATUS_BYTES
from benchmarks.workloads import Context, Result

STORED = ((100, 0), (10_000, 1_000))
EXECUTIONS, RATE = 200, 10
RUN_EVENTS, LIFE_S = 12, 4.0
_COMPARED = ("cpu_s_per_1000", "requests_each", "created_run_p50_ms", "ended_status_p50_ms")


def run(context: Context) -> Result:
    """Play the same load beside both."""
    few, many = (_beside(context, *stored) for stored in STORED)
    values = {f"100.{key}": value for key, value in few.items()}
    values |= {f"10000.{key}": value for key, value in many.items()}
    return Result(values | {f"{key}_ratio": ratio(many[key], few[key]) for key in _COMPARED})


def _beside(context: Context, settled: int, running: int) -> dict[str, float]:
    rig = context.rig
    ground = context.history.ground(settled, running, STATUS_BYTES)
    what = {"executions": EXECUTIONS, "rate": RATE, "run_events": RUN_EVENTS, "life_s": LIFE_S}
    with rig.operator(ground) as operator:
        seen, cost = measured(rig, operator, ground, prefix=f"flat{context.next_number()}", **what)
    return seen.latencies() | costs_of(cost, seen)
