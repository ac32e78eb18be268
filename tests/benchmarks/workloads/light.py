"""Five executions a second whose runs end at once, with small statuses: as peers are measured."""

from __future__ import annotations

from benchmarks import floors
from benchmarks.costs import costs_of
from benchmarks.meter import measured
from benchmarks.workloads import Context, Result

RATE, EXECUTIONS = 5, 200
_STATUS_BYTES = 500


def run(context: Context) -> Result:
    """Play it, and tell times as they are, with those of the bare reactor beside them."""
    rig = context.rig
    what = {"executions": EXECUTIONS, "rate": RATE, "status_bytes": _STATUS_BYTES}
    bare, _ = floors.reactor(rig, ours=False, **what)
    ground = rig.ground()
    with rig.operator(ground) as operator:
        seen, cost = measured(rig, operator, ground, **what)
    floor = {f"f2_{key}": value for key, value in bare.latencies().items()}
    return Result({**seen.latencies(), **floor, **costs_of(cost, seen)})
