"""Plots for the documentation: how latencies spread, how throughput goes, what memory is used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot
from matplotlib.axes import Axes

from benchmarks.distribution import rate_over_time
from benchmarks.workloads import Series

mpl.use("Agg")
# Letters stay letters, and the same numbers make the same file.
mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "benchmarks"}

_WINDOW_S = 0.5
_NAMES = {
    "created_run_s": "execution seen to run seen",
    "ended_status_s": "run's end seen to status seen",
}


def draw(name: str, series: Series, folder: Path) -> None:
    """Draw what a workload has series for, as `NAME.svg`."""
    if name not in _DRAWN:
        return
    figure, axes = pyplot.subplots(figsize=(7, 4.8), layout="constrained")
    _DRAWN[name](axes, series)
    axes.grid(alpha=0.3)
    # Beneath: within, it hides curves.
    figure.legend(loc="outside lower center", ncols=2)
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    pyplot.close(figure)


def _latencies(axes: Axes, series: Series) -> None:
    """Share of executions that are done within a time; floors are dashed."""
    for key, values in series.items():
        rate, _, what = key.partition(".")
        is_floor = what.startswith("f2_")
        label = f"{rate}/s, {_NAMES[what.removeprefix('f2_')]}{' (floor)' if is_floor else ''}"
        axes.ecdf([1000 * value for value in values], ls="--" if is_floor else "-", label=label)
    axes.set(xlabel="milliseconds", ylabel="share of executions", xscale="log", xlim=(1, None))


def _throughput(axes: Axes, series: Series) -> None:
    """Executions that end, over time."""
    for key, values in series.items():
        size, _, what = key.partition(".")
        if what == "ended_s":
            points = rate_over_time(values, _WINDOW_S)
            axes.plot(*zip(*points, strict=True), label=f"{size} executions at once")
    axes.set(xlabel="seconds from the first end", ylabel="ended executions per second", ylim=0)


def _memory(axes: Axes, series: Series) -> None:
    """Resident memory by how much is stored."""
    for key, label in {"rss_mb": "after the start", "peak_mb": "at its peak"}.items():
        axes.plot(series["objects"], series[key], marker="o", label=label)
    axes.set(xlabel="ended executions stored", ylabel="resident memory (MB)", ylim=0)


_DRAWN: dict[str, Callable[[Axes, Series], None]] = {
    "paced": _latencies,
    "burst": _throughput,
    "cold": _memory,
}
