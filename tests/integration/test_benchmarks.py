"""The benchmarks still play: the operator from its image's tree, and the floors beside it."""

from __future__ import annotations

import math

import pytest

from benchmarks import floors
from benchmarks.meter import Meter
from benchmarks.played import player, result_of
from benchmarks.rig import Rig
from benchmarks.yardstick import middle, yardstick
from localcluster import Cluster, sandbox

EXECUTIONS = 5

pytestmark = pytest.mark.skipif(
    bool(sandbox.why_impossible()), reason=sandbox.why_impossible() or "possible"
)


@pytest.fixture(scope="module")
def rig(bare_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Rig:
    return Rig(bare_cluster, tmp_path_factory.mktemp("rig"))


def test_the_operator_as_it_is_shipped_plays_a_load(rig: Rig) -> None:
    ground = rig.ground()
    with rig.operator(ground) as operator, yardstick() as times:
        with player(rig, ground, executions=EXECUTIONS, run_events=3, life_s=1.0) as load:
            meter = Meter(rig, operator.pid)
            load.say("go")
            seen = result_of(load, 60)
        cost, usage = meter.read(), operator.usage()
    assert (seen.count("Completed"), seen.double_runs, seen.problems) == (EXECUTIONS, 0, [])
    assert all(value > 0 for value in seen.latencies().values())
    assert cost.cpu_s > 0
    # Without the packages for kubeconfigs and for people's commands, as in a pod.
    assert 20 < usage.rss_mb < 75
    assert operator.pauses()["count"] >= 0
    assert middle(times) > 0


def test_the_floors_play_the_same_load(rig: Rig) -> None:
    raw = floors.raw(rig, EXECUTIONS, ours=True)
    assert (raw["requests"], math.isfinite(raw["throughput"])) == (7, True)
    seen, _ = floors.reactor(rig, ours=True, executions=EXECUTIONS)
    assert (seen.count("Completed"), seen.problems) == (EXECUTIONS, [])
    assert floors.lists(rig, rig.ground())["objects"] == 0
