"""Real Tekton and pods in place of the player: what of all this a user sees."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.costs import costs_of
from benchmarks.meter import measured
from benchmarks.rig import Rig
from benchmarks.workloads import Context, Result
from harness import rights
from localcluster import Cluster, Tier, lifecycle
from localcluster.bundles import push_folder

EXECUTIONS, EXECUTIONS_FULL = 20, 100
_BUNDLE = Path(__file__).parents[3] / "tekton/wait"


def run(context: Context) -> Result:
    """Launch all at once; Tekton decides how fast they end."""
    with TemporaryDirectory() as folder, lifecycle.running(Tier.NODE) as cluster:
        rig = Rig(cluster, Path(folder))
        ground = rig.ground()
        rights.let_run(cluster, ground.runs, ground.source)
        workflow = {"workflowId": "wait", "version": "1", "containerImage": _push(cluster)}
        spec = {"workflowRef": workflow, "parameters": {"SECONDS": "1"}}
        count = EXECUTIONS_FULL if context.is_full else EXECUTIONS
        with rig.operator(ground) as operator:
            seen, cost = measured(rig, operator, ground, executions=count, run_events=0, spec=spec)
    values = {
        "executions_per_s": seen.throughput,
        "completed": seen.count("Completed"),
        "last_run_s": max(seen.times("run"), default=0.0) - seen.began,
        **seen.latencies(),
        **costs_of(cost, seen),
    }
    return Result(values)


def _push(cluster: Cluster) -> str:
    assert cluster.registry is not None
    return push_folder(cluster.registry, "benchmark/wait", _BUNDLE)
