"""The API server is away for a while: nothing is lost, and soon after nothing is left to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from faults import outages
from faults.load import Load
from faults.outages import OUTAGES, Outage
from faults.rig import rigged
from harness.waiting import holds_for
from harness.world import World, open_world
from localcluster import Cluster
from reliability import is_long
from reliability.tally import Tally

OUTAGE_S = 600.0 if is_long() else 12.0
CHOSEN = OUTAGES if is_long() else OUTAGES[2:3]
PER_S = 0.5
DRAINED_WITHIN_S = 60.0
# Three watches, each begun anew at most once a second, and an attempt for each waiting execution
# at most every half minute or so.
REQUESTS_PER_S = 20


@pytest.fixture(params=[(), ("--leader-election",)], ids=["alone", "elected"])
def world(request: pytest.FixtureRequest, bare_cluster: Cluster) -> Iterator[World]:
    with open_world(bare_cluster, *request.param, trouble=True) as opened:
        yield opened


@pytest.mark.parametrize("outage", CHOSEN, ids=lambda outage: outage.name)
def test_an_outage(world: World, outage: Outage, tallies: Callable[[str], Tally]) -> None:
    with rigged(world, [world.operator]) as rig, closing(Load(world, PER_S)) as load:
        holds_for(lambda: None, 2)
        before = world.proxy.mark()
        outage.begin(world.proxy)
        holds_for(lambda: None, OUTAGE_S)
        asked = world.proxy.mark() - before
        outages.end(world.proxy)
        load.close()
        recovery_s = rig.drained(load, DRAINED_WITHIN_S)
        rig.judge(tallies(f"outage-{outage.name}"), recovery_s=recovery_s)
        assert rig.restarts <= 1
        assert asked <= REQUESTS_PER_S * OUTAGE_S, "requests while the server was away"
        world.operator.until_ready()
