"""Five executions a second whose runs end at once, with small statuses."""

from __future__ import annotations

from benchmarks import floors
from benchmarks.costs import costs_of
from benchmarks.distribution import ratio
from benchmarks.meter import measured
from benchmarks.workloads import Context, Result

RATE, EXECUTIONS = 5, 200
_STATUS_BYTES = 500


def run(context: Context) -> Result:
    """Play it beside the bare reactor."""
    rig = context.rig
    what = {"executions": EXECUTIONS, "rate": RATE, "status_bytes": _STATUS_BYTES}
    bare, bare_cpu = floors.reactor(rig, ours=False, **what)
    ground = rig.ground()
    with rig.operator(ground) as operator:
        seen, cost = measured(rig, operator, ground, **what)
        usage = operator.usage()
    ours, floor = seen.latencies(), bare.latencies()
    return Result(
        {
            **ours,
            **{f"f2_{key}": value for key, value in floor.items()},
            **{f"{key[:-3]}_to_f2": ratio(ours[key], floor[key]) for key in ours},
            "f2_cpu_s_per_1000": bare_cpu,
            "rss_mb": usage.rss_mb,
            **costs_of(cost, seen),
            **operator.pause_values(),
        }
    )
