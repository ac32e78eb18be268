"""The burst again, shared between two operators, and between three."""

from __future__ import annotations

from contextlib import ExitStack

from benchmarks import processes
from benchmarks.costs import troubles_of
from benchmarks.meter import Meter
from benchmarks.played import player, result_of
from benchmarks.workloads import Context, Result

EXECUTIONS = 1000
SHARDS = (1, 2, 3)


def run(context: Context) -> Result:
    """Play it with every number of operators."""
    values: dict[str, float] = {}
    for count in SHARDS:
        one = _shared(context, count)
        values |= {f"{count}.{key}": value for key, value in one.items()}
    return Result(values)


def _shared(context: Context, count: int) -> dict[str, float]:
    rig = context.rig
    ground = rig.ground()
    with ExitStack() as stack:
        operators = [
            stack.enter_context(rig.operator(ground, f"--shard={number}/{count}"))
            for number in range(1, count + 1)
        ]
        load = stack.enter_context(player(rig, ground, executions=EXECUTIONS))
        meter = Meter(rig, rig.a_process)
        before = sum(one.usage().cpu_s for one in operators)
        load.say("go")
        seen = result_of(load)
        cost = meter.read()
        usages: list[processes.Usage] = [one.usage() for one in operators]
    return {
        "executions_per_s": seen.throughput,
        "cpu_s_per_1000": (sum(one.cpu_s for one in usages) - before) * 1000 / EXECUTIONS,
        "server_cores": cost.server_cpu_s / cost.seconds,
        "rss_mb_most": max(one.rss_mb for one in usages),
        **troubles_of(cost, seen),
    }
