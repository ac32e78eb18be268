"""W4: the start of an operator that finds thousands of ended executions with their runs."""

from __future__ import annotations

import time

from benchmarks import floors
from benchmarks.distribution import ratio
from benchmarks.meter import Meter
from benchmarks.played import player, result_of
from benchmarks.workloads import Context, Result

# Ended executions, running ones, bytes of each run's status.
SIZES = ((1_000, 100, 10_000), (10_000, 1_000, 2_500), (10_000, 1_000, 10_000))
# Of one execution that is waiting when the operator starts, with the claim of its namespace.
_WRITES_OF_ONE = 6
_REST_S = 5.0


def run(context: Context) -> Result:
    """Start with nothing, and with every size."""
    values: dict[str, float] = {}
    rss: dict[str, list[float]] = {"objects": [0.0], "rss_mb": [], "peak_mb": []}
    with context.rig.operator(context.rig.ground()) as operator:
        time.sleep(_REST_S)
        usage = operator.usage()
        values |= {"idle.rss_mb": usage.rss_mb, "idle.rss_peak_mb": usage.peak_mb}
        rss["rss_mb"].append(usage.rss_mb)
        rss["peak_mb"].append(usage.peak_mb)
    for settled, running, size in SIZES:
        one = start(context, settled, running, size)
        name = f"{settled}x{size}"
        values |= {f"{name}.{key}": value for key, value in one.items()}
        if size == SIZES[0][2]:
            rss["objects"].append(float(settled))
            rss["rss_mb"].append(one["rss_mb"])
            rss["peak_mb"].append(one["rss_peak_mb"])
    return Result(values, rss)


def start(context: Context, settled: int, running: int, size: int) -> dict[str, float]:
    """Start beside so many ended and running executions, with a new one that waits."""
    rig = context.rig
    ground = context.history.ground(settled, running, size)
    floor = floors.lists(rig, ground)
    assert floor["objects"] >= 2 * (settled + running), floor
    prefix = f"new{context.next_number()}"
    with (
        player(rig, ground, executions=1, prefix=prefix) as load,
        rig.operator(ground, started=False) as operator,
    ):
        load.say("go")
        meter = Meter(rig, rig.a_process)
        began = time.monotonic()
        ready = operator.start()
        used = operator.usage().cpu_s
        seen = result_of(load)
        time.sleep(_REST_S)
        asked = meter.read().asked
        usage = operator.usage()
    reads = sum(number for kind, number in asked.kinds.items() if not kind.startswith("watch"))
    return {
        "ready_s": ready,
        "f3_s": floor["seconds"],
        "ready_to_f3": ratio(ready, floor["seconds"]),
        "first_run_s": min(seen.times("run"), default=float("nan")) - began,
        "start_cpu_s": used,
        "rss_mb": usage.rss_mb,
        "rss_peak_mb": usage.peak_mb,
        "requests": reads,
        "f3_requests": floor["requests"],
        "writes_for_old": asked.writes - _WRITES_OF_ONE,
        **operator.pause_values(),
    }
