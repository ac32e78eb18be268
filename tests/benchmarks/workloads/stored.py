"""The start again, beside ten thousand ended executions and beside ten times as many.

On a cluster of its own, whose API server holds no objects in memory: with its watch cache, 100,000
executions with their runs took more memory than this machine has. Such a server sends no bookmarks
either, so something is changed now and then for the operator to hear of.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.distribution import ratio
from benchmarks.history import History, run_of
from benchmarks.rig import Ground, Rig
from benchmarks.workloads import Context, Result, cold
from harness.objects import Objects
from localcluster import Tier, lifecycle

FEW, MANY = 10_000, 100_000
_RUNNING, _STATUS_BYTES = 1_000, 2_500
_WITHOUT_CACHE = ("--watch-cache=false",)
# A watch that is silent for longer than 75 seconds is opened anew.
_BEAT_S = 20.0


def run(context: Context) -> Result:
    """Start beside few, then beside many."""
    with (
        TemporaryDirectory() as folder,
        lifecycle.running(Tier.API, server_flags=_WITHOUT_CACHE) as cluster,
    ):
        rig = Rig(cluster, Path(folder))
        own = replace(context, rig=rig, history=History(rig))
        found = {size: _start(own, size) for size in (FEW, MANY)}
    values = {f"{size}.{key}": value for size, one in found.items() for key, value in one.items()}
    for key in ("rss_mb", "rss_peak_mb"):
        values[f"{key}_ratio"] = ratio(found[MANY][key], found[FEW][key])
    return Result(values)


def _start(context: Context, settled: int) -> dict[str, float]:
    ground = context.history.ground(settled, _RUNNING, _STATUS_BYTES)
    with _heartbeat(context.rig, ground):
        return cold.start(context, settled, _RUNNING, _STATUS_BYTES)


@contextmanager
def _heartbeat(rig: Rig, ground: Ground) -> Iterator[None]:
    """Change one object of each kind that is watched, in a way that says nothing."""
    where = {"workflowexecutions": "now-0", "pipelineruns": run_of("now-0"), "workflowholds": "one"}
    _hold_nothing(rig, ground, where["workflowholds"])
    is_over = threading.Event()

    def beat() -> None:
        number = 0
        while not is_over.wait(_BEAT_S):
            number += 1
            for plural, name in where.items():
                item = {"metadata": {"namespace": ground.namespace_of(plural), "name": name}}
                changed = {"metadata": {"annotations": {"beat": str(number)}}}
                Objects(rig.cluster, plural).patch(item, changed)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _hold_nothing(rig: Rig, ground: Ground, name: str) -> None:
    Objects(rig.cluster, "workflowholds").create(
        {
            "apiVersion": "workflowexecution.kubernaut.ai/v1alpha1",
            "kind": "WorkflowHold",
            "metadata": {"namespace": ground.namespace_of("workflowholds"), "name": name},
            "spec": {"workflowId": "none", "reason": "a heartbeat", "heldBy": "the benchmark"},
        }
    )
