"""Five executions a second whose runs end at once, with small statuses: as peers are measured."""

from __future__ import annotations

from benchmarks.costs import costs_of
from benchmarks.meter import Meter
from benchmarks.played import player, result_of
from benchmarks.workloads import Context, Result

RATE, EXECUTIONS = 5, 200
_STATUS_BYTES = 500


def run(context: Context) -> Result:
    """Play it, and tell times as they are: there is no floor of that controller."""
    rig = context.rig
    ground = rig.ground()
    what = {"executions": EXECUTIONS, "rate": RATE, "status_bytes": _STATUS_BYTES}
    with rig.operator(ground) as operator:
        with player(rig, ground, **what) as load:
            meter = Meter(rig, operator.pid)
            load.say("go")
            seen = result_of(load)
        cost = meter.read()
    return Result({**seen.latencies(), **costs_of(cost, seen)})
