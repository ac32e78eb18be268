"""W6: the operator is killed in the midst of a burst, and another takes over."""

from __future__ import annotations

from benchmarks.costs import troubles_of
from benchmarks.meter import Meter
from benchmarks.played import player, result_of
from benchmarks.workloads import Context, Result

EXECUTIONS, AFTER = 300, 100


def run(context: Context) -> Result:
    """Play it."""
    rig = context.rig
    ground = rig.ground()
    what = {"executions": EXECUTIONS, "run_events": 3, "life_s": 1.0, "milestone": AFTER}
    with rig.operator(ground) as first, rig.operator(ground, started=False) as second:
        with player(rig, ground, **what) as load:
            meter = Meter(rig, rig.a_process)
            load.say("go")
            load.until("milestone", 120)
            first.kill()
            ready = second.start()
            seen = result_of(load)
        cost = meter.read()
    values = {
        "runs": seen.runs,
        "completed": seen.count("Completed"),
        "seconds": seen.seconds,
        "ready_again_s": ready,
        **troubles_of(cost, seen),
    }
    return Result(values)
