"""W5: a thousand runs at work and nothing to report; then all of them end at once."""

from __future__ import annotations

import time

from benchmarks.costs import troubles_of
from benchmarks.meter import Meter
from benchmarks.played import player, result_of
from benchmarks.workloads import Context, Result

EXECUTIONS = 1000
SECONDS, SECONDS_FULL = 30.0, 300.0
# What was last written of each run's progress is written by then.
_SETTLE_S = 8.0
_UPKEEP = (
    "watch ",
    *(f"{verb} leases" for verb in ("get", "update", "create", "patch")),
    "patch configmaps",
)


def run(context: Context) -> Result:
    """Play it."""
    rig = context.rig
    ground = rig.ground()
    seconds = SECONDS_FULL if context.is_full else SECONDS
    with rig.operator(ground) as operator:
        with player(rig, ground, executions=EXECUTIONS, run_events=3, hold=True) as load:
            load.say("go")
            load.until("held", 300)
            time.sleep(_SETTLE_S)
            meter = Meter(rig, operator.pid)
            time.sleep(seconds)
            still, usage = meter.read(tail=0), operator.usage()
            load.say("finish")
            seen = result_of(load)
        cost = meter.read()
    asked = still.asked.kinds
    values = {
        "requests": sum(number for kind, number in asked.items() if not kind.startswith(_UPKEEP)),
        "watches_begun": sum(n for kind, n in asked.items() if kind.startswith("watch ")),
        "seconds": still.seconds,
        "cpu_percent": 100 * still.cpu_s / still.seconds,
        "rss_mb": usage.rss_mb,
        "all_told_s": max(seen.times("ended")) - max(seen.times("run_ended")),
        "ending_per_s": EXECUTIONS / (max(seen.times("ended")) - min(seen.times("run_ended"))),
        **troubles_of(cost, seen),
    }
    return Result(values)
