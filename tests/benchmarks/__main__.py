"""Run as `python -m benchmarks`: play the workloads, tell what they cost, compare with targets."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from benchmarks import floors, page, plots, processes, report
from benchmarks.distribution import Spread
from benchmarks.history import History
from benchmarks.rig import Rig
from benchmarks.workloads import (
    Context,
    Result,
    Workload,
    burst,
    cold,
    flat,
    kill,
    light,
    paced,
    resync,
    shards,
    still,
    stored,
    storm,
    tekton,
)
from benchmarks.yardstick import middle, yardstick
from localcluster import Tier, lifecycle

console = Console(stderr=True, width=110, highlight=False)

# Those that fill the cluster come last.
WORKLOADS: dict[str, Workload] = {
    "paced": paced.run,
    "burst": burst.run,
    "light": light.run,
    "storm": storm.run,
    "kill": kill.run,
    "shards": shards.run,
    "still": still.run,
    "cold": cold.run,
    "resync": resync.run,
    "flat": flat.run,
    "stored": stored.run,
    "tekton": tekton.run,
}
# They take a cluster of their own, or tell the same every time: only where they are asked for.
LONG = ("tekton", "shards", "stored", "light")

WARM_UP = 100


def main() -> int:
    """Play what was asked for; whether targets are reached does not matter to the exit status."""
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder, lifecycle.running(Tier.API) as cluster:
        rig = Rig(cluster, Path(folder), options.out if options.profile else None)
        # A server's first requests of each kind are slow, and belong to nobody.
        floors.raw(rig, WARM_UP, ours=True)
        context = Context(rig, History(rig), options.full)
        measured: dict[str, Spread] = {}
        for name in options.only or _usual(options.full):
            for found in _play(name, context, options):
                measured |= found
                # As it comes: a long run that is ended early leaves what it has measured.
                report.save(options.out / "results.json", measured, _about(options))
    console.print(report.table_of("targets", measured, all_of_them=False))
    if options.keep:
        page.keep(options.out / "results.json")
        page.write()
    print(options.out / "results.json")
    return 0


def _play(name: str, context: Context, options: argparse.Namespace) -> Iterator[dict[str, Spread]]:
    """Play a workload so many times; what is known of it after each."""
    results: list[Result] = []
    for number in range(options.runs):
        began, load = time.monotonic(), processes.load()
        with yardstick() as times:
            result = WORKLOADS[name](context)
        result.values.update(machine_load=load, yardstick_ms=middle(times))
        results.append(result)
        seconds = time.monotonic() - began
        console.print(
            f"{name}, run {number + 1} of {options.runs}: {seconds:.0f} s, load {load:.1f}, "
            f"yardstick {middle(times):.2f} ms"
        )
        yield report.collect(name, results)
    console.print(report.table_of(name, report.collect(name, results)))
    (options.out / f"{name}.json").write_text(json.dumps([result.series for result in results]))
    plots.draw(name, results[-1].series, options.out)


def _about(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "cpus": os.cpu_count(),
        "runs": options.runs,
        "full": options.full,
        "load": processes.load(),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--only", type=_names, default=[], help="names, by comma")
    parser.add_argument("--runs", type=int, default=1, help="how often each workload is played")
    parser.add_argument("--profile", action="store_true", help="sample the operator with py-spy")
    parser.add_argument("--keep", action="store_true", help="write docs/performance.md again")
    parser.add_argument("--full", action="store_true", help="larger sizes and longer times")
    parser.add_argument(
        "--out", type=Path, default=Path("build/bench"), help="folder for the results"
    )
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := set(names) - set(WORKLOADS):
        raise argparse.ArgumentTypeError(f"{unknown}: there are {', '.join(WORKLOADS)}")
    return names


def _usual(is_full: bool) -> list[str]:
    return [name for name in WORKLOADS if is_full or name not in LONG]


if __name__ == "__main__":
    sys.exit(main())
