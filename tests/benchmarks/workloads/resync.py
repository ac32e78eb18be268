"""Ten thousand stored executions listed anew: how long the operator does nothing else."""

from __future__ import annotations

import time

from benchmarks.distribution import summary_ms
from benchmarks.lag import Lag
from benchmarks.meter import Meter
from benchmarks.played import STATUS_BYTES
from benchmarks.rig import Operator
from benchmarks.workloads import Context, Result

SETTLED, RUNNING = 10_000, 1_000
INTERVAL_S, RESYNCS = 5.0, 2
_DONE = 'workflowexecution_resyncs_total{result="done"}'
_DEADLINE_S = 120.0
# The operator measures its lag once a second; each look at it costs what is measured here.
_LOOK_EVERY_S = 0.9


def run(context: Context) -> Result:
    """Watch a few resyncs, and the same time without any."""
    rig = context.rig
    ground = context.history.ground(SETTLED, RUNNING, STATUS_BYTES)
    with rig.operator(ground) as operator, Lag(operator.probes_port()) as idle:
        time.sleep(INTERVAL_S)
    with rig.operator(ground, f"--resync-interval={INTERVAL_S:g}s") as operator:
        meter = Meter(rig, operator.pid)
        with Lag(operator.probes_port()) as lag:
            told = _until_resynced(operator)
        cost = meter.read(tail=0)
    return Result(
        {
            **summary_ms("probe", lag.seconds),
            **summary_ms("idle_probe", idle.seconds),
            "loop_lag_max_ms": told * 1000,
            "cpu_s_each": cost.cpu_s / RESYNCS,
            "requests_each": cost.asked.total / RESYNCS,
            "writes": cost.asked.writes,
            **operator.pause_values(),
        }
    )


def _until_resynced(operator: Operator) -> float:
    """Wait for a few resyncs; the largest lag of its loop that the operator told meanwhile."""
    deadline, largest = time.monotonic() + _DEADLINE_S, 0.0
    while operator.metric(_DONE) < RESYNCS and time.monotonic() < deadline:
        largest = max(largest, operator.metric("workflowexecution_event_loop_lag_seconds"))
        time.sleep(_LOOK_EVERY_S)
    return largest
