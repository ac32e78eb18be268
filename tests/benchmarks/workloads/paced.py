"""W3: executions that arrive at random, so many a second, whose runs report twelve times each."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from benchmarks import floors
from benchmarks.costs import costs_of
from benchmarks.distribution import ratio, summary_ms
from benchmarks.meter import measured
from benchmarks.workloads import Context, Result

RATES = (5, 20)
RATES_FULL = (5, 20, 50)
SECONDS, SECONDS_FULL = 16, 120
RUN_EVENTS, LIFE_S = 12, 4.0
PARTS = 2
_RATIOS = tuple(
    f"{what}_{percentile}_ms"
    for what in ("created_run", "ended_status")
    for percentile in ("p50", "p90", "p99")
)


def run(context: Context) -> Result:
    """Play every rate, each beside the bare reactor under the same load."""
    values: dict[str, float] = {}
    series: dict[str, list[float]] = {}
    for rate in RATES_FULL if context.is_full else RATES:
        seconds = SECONDS_FULL if context.is_full else SECONDS
        one = _paced(context, rate, rate * seconds)
        values |= {f"{rate}.{key}": value for key, value in one.values.items()}
        series |= {f"{rate}.{key}": value for key, value in one.series.items()}
    return Result(values, series)


def _paced(context: Context, rate: int, count: int) -> Result:
    """In parts, floor and operator in turns: a machine that others use is not the same for long."""
    what = {"executions": count // PARTS, "rate": rate, "run_events": RUN_EVENTS, "life_s": LIFE_S}
    parts = [_part(context, seed=number, **what) for number in range(1, PARTS + 1)]
    values = {key: fmean(part.values[key] for part in parts) for key in parts[0].values}
    if rate == RATES[0]:
        _, ours = floors.reactor(context.rig, ours=True, **what)
        values["f2_with_our_writes_cpu_s_per_1000"] = ours
    series = {key: [one for part in parts for one in part.series[key]] for key in parts[0].series}
    for key, seconds in series.items():
        values |= summary_ms(key.removesuffix("_s"), seconds)
    values |= {f"{key[:-3]}_to_f2": ratio(values[key], values[f"f2_{key}"]) for key in _RATIOS}
    return Result(values, series)


def _part(context: Context, **what: Any) -> Result:
    """The bare reactor, then the operator under the same load."""
    rig = context.rig
    bare, bare_cpu = floors.reactor(rig, ours=False, **what)
    ground = rig.ground()
    with rig.operator(ground) as operator:
        seen, cost = measured(rig, operator, ground, **what)
        usage = operator.usage()
    values = {
        "f2_cpu_s_per_1000": bare_cpu,
        "rss_mb": usage.rss_mb,
        "rss_peak_mb": usage.peak_mb,
        **costs_of(cost, seen),
        **operator.pause_values(),
    }
    series = {
        "created_run_s": seen.between("created", "run"),
        "ended_status_s": seen.between("run_ended", "ended"),
        "f2_created_run_s": bare.between("created", "run"),
        "f2_ended_status_s": bare.between("run_ended", "ended"),
    }
    return Result(values, series)
