"""W1: many executions at once, each on a target of its own, whose runs end at once."""

from __future__ import annotations

from benchmarks import floors
from benchmarks.costs import costs_of
from benchmarks.distribution import ratio
from benchmarks.meter import measured
from benchmarks.played import Played
from benchmarks.workloads import Context, Result

SIZES = (300, 1000)
SIZES_FULL = (100, 300, 1000, 5000)


def run(context: Context) -> Result:
    """Play every size, each beside its floors."""
    values: dict[str, float] = {}
    series: dict[str, list[float]] = {}
    for size in SIZES_FULL if context.is_full else SIZES:
        one = _burst(context, size)
        values |= {f"{size}.{key}": value for key, value in one.values.items()}
        series |= {f"{size}.{key}": value for key, value in one.series.items()}
    return Result(values, series)


def _burst(context: Context, size: int) -> Result:
    rig = context.rig
    least = floors.raw(rig, size, ours=False)
    ours = floors.raw(rig, size, ours=True)
    reacted, _ = floors.reactor(rig, ours=True, executions=size)
    ground = rig.ground()
    with rig.operator(ground) as operator:
        seen, cost = measured(rig, operator, ground, executions=size)
        usage = operator.usage()
    values = {
        "executions_per_s": seen.throughput,
        "f1_per_s": least["throughput"],
        "f1_with_our_writes_per_s": ours["throughput"],
        "f2_with_our_writes_per_s": reacted.throughput,
        "to_f1": ratio(seen.throughput, least["throughput"]),
        "to_f1_with_our_writes": ratio(seen.throughput, ours["throughput"]),
        # What is lost to the two watches of whoever reacts and of the player, and to reacting.
        "f2_to_f1_with_our_writes": ratio(reacted.throughput, ours["throughput"]),
        "to_f2_with_our_writes": ratio(seen.throughput, reacted.throughput),
        "f1_cpu_s_per_1000": least["cpu_s_per_1000"],
        "last_run_s": max(seen.times("run"), default=0.0) - seen.began,
        "rss_mb": usage.rss_mb,
        "rss_peak_mb": usage.peak_mb,
        **costs_of(cost, seen),
        **operator.pause_values(),
    }
    return Result(
        values, {"ended_s": _ended(seen), "created_run_s": seen.between("created", "run")}
    )


def _ended(seen: Played) -> list[float]:
    return [at - seen.began for at in seen.times("ended")]
