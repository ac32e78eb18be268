"""The limits of this machine at this minute, measured with no operator running."""

from __future__ import annotations

import itertools
from typing import Any

from benchmarks import processes
from benchmarks.played import IN_FLIGHT, STATUS_BYTES, Played, player, result_of
from benchmarks.rig import Ground, Rig

# A create, a run, two statuses of the execution and one of the run; Events come on top.
_LEAST = {"with_events": False, "run_events": 1}
_OURS = {"with_events": True, "run_events": 1}
# A hundred thousand executions and their runs.
LISTED_S = 600.0
_numbers = itertools.count()


def raw(rig: Rig, executions: int, *, ours: bool) -> dict[str, float]:
    """F1: throughput of a bare client, with the fewest requests or with as many as ours."""
    order = rig.order(
        rig.ground(),
        executions=executions,
        in_flight=IN_FLIGHT,
        status_bytes=STATUS_BYTES,
        prefix=f"raw{next(_numbers)}",
        **(_OURS if ours else _LEAST),
    )
    with rig.working("raw", order) as worker:
        worker.until("ready", 30)
        worker.say("go")
        told = worker.until("done", 300)
    return {
        "throughput": executions / told["seconds"],
        "cpu_s_per_1000": told["cpu_s"] * 1000 / executions,
        "requests": told["requests"] / executions,
    }


def reactor(rig: Rig, *, ours: bool, **what: Any) -> tuple[Played, float]:
    """F2: the same load answered by a bare reactor; what was seen, and its CPU per thousand."""
    ground = rig.ground()
    with (
        rig.working("reactor", rig.order(ground, ours=ours)) as bare,
        player(rig, ground, **what) as load,
    ):
        bare.until("ready", 30)
        before = processes.usage(bare.pid).cpu_s
        load.say("go")
        seen = result_of(load)
        used = processes.usage(bare.pid).cpu_s - before
        bare.say("stop")
    assert seen.count("Completed") == len(seen.seen), seen.problems
    return seen, used * 1000 / len(seen.seen)


def lists(rig: Rig, ground: Ground) -> dict[str, float]:
    """F3: seconds that both lists take, in pages and decoded."""
    order = {
        "server": rig.access,
        "lists": [("workflowexecutions", ground.source), ("pipelineruns", ground.runs)],
    }
    with rig.working("lister", order) as worker:
        told = worker.until("done", LISTED_S)
    return {key: float(told[key]) for key in ("seconds", "objects", "requests")}
