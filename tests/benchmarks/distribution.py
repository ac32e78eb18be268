"""Arithmetic of what was measured: percentiles, ratios, medians with their spread."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "max": 100.0}


@dataclass(frozen=True, slots=True)
class Spread:
    """Median of several runs, with the smallest and the largest."""

    median: float
    low: float
    high: float
    runs: int


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all values do not exceed (nearest rank).

    Not a number where there are no values.
    """
    if not values:
        return math.nan
    rank = max(math.ceil(percent / 100 * len(values)), 1)
    return sorted(values)[rank - 1]


def summary_ms(name: str, seconds: Sequence[float]) -> dict[str, float]:
    """Percentiles of times in milliseconds, as `NAME_p50_ms` and so on."""
    return {
        f"{name}_{label}_ms": percentile(seconds, percent) * 1000
        for label, percent in PERCENTILES.items()
    }


def ratio(value: float, floor: float) -> float:
    """A value in terms of its floor; not a number where there is no floor."""
    return value / floor if floor else math.nan


def spread(values: Sequence[float]) -> Spread:
    """Median and extremes of what several runs have measured."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return Spread(math.nan, math.nan, math.nan, 0)
    return Spread(statistics.median(known), min(known), max(known), len(known))


def rate_over_time(moments: Sequence[float], width: float) -> list[tuple[float, float]]:
    """The moments per second in each window of so many seconds, from the first moment on."""
    if not moments:
        return []
    first = min(moments)
    counts = [0] * (int((max(moments) - first) // width) + 1)
    for moment in moments:
        counts[int((moment - first) // width)] += 1
    return [(index * width, count / width) for index, count in enumerate(counts)]
