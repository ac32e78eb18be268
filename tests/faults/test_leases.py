"""Writes of the Lease fail in every way: who leads goes on, and the work goes on with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from faults import stories
from faults.ways import WAYS, Way
from harness import faults
from harness.faults import Fault
from harness.kubelet import Kubelet
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from reliability import is_long, long_only
from reliability.tally import Tally

SCENARIO = "leases"
RENEW = "update leases"
# Every third second the Lease is renewed; a write that hangs is given up after three.
RENEWED_WITHIN_S = 25.0
CHOSEN = WAYS if is_long() else WAYS[-3:-2]
# A Lease that was lost is taken again when it has run out.
TAKEN_WITHIN_S = 45.0


@pytest.fixture
def kubelet(bare_cluster: Cluster) -> Iterator[tuple[World, Kubelet]]:
    with open_world(bare_cluster, "--leader-election", trouble=True) as world:
        watching = Kubelet(world.operator)
        until_leading(world, 10)
        yield world, watching
        watching.close()


def until_leading(world: World, seconds: float) -> None:
    def check() -> None:
        assert world.operator.metric("workflowexecution_leader") == 1

    eventually(check, seconds, dump=world.dump)


@pytest.mark.parametrize("way", CHOSEN, ids=lambda way: way.name)
def test_a_renewal_that_fails_once(kubelet: tuple[World, Kubelet], tally: Tally, way: Way) -> None:
    world, watching = kubelet
    fault = Fault(matches=faults.kind(RENEW), when=way.when, act=way.act)
    world.proxy.inject(fault)

    def renewed() -> None:
        assert fault.struck == 1
        after = [one.status for one in world.proxy.since() if one.kind == RENEW]
        assert after[-1] == 200

    eventually(renewed, RENEWED_WITHIN_S, dump=world.dump)
    world.proxy.heal()
    stories.life(world, stories.target())
    tally.add(executions=1, restarts=watching.restarts)
    assert watching.restarts == 0, watching.reasons


@long_only
def test_a_lease_that_cannot_be_renewed_any_more(
    kubelet: tuple[World, Kubelet], tally: Tally
) -> None:
    """The leader ends, and the next one takes the Lease when it may."""
    world, watching = kubelet
    act = faults.answer(503, "ServiceUnavailable")
    world.proxy.inject(Fault(matches=faults.kind(RENEW), when="before", act=act, times=10**6))

    def restarted() -> None:
        assert watching.restarts == 1

    eventually(restarted, TAKEN_WITHIN_S, dump=world.dump)
    world.proxy.heal()
    until_leading(world, TAKEN_WITHIN_S)
    stories.life(world, stories.target())
    tally.add(executions=1, restarts=watching.restarts)


@long_only
def test_a_lease_that_somebody_deletes(kubelet: tuple[World, Kubelet], tally: Tally) -> None:
    world, watching = kubelet
    where = f"/apis/coordination.k8s.io/v1/namespaces/{world.execution_namespace}/leases"
    world.cluster.request("DELETE", f"{where}/workflowexecution-controller")
    before = world.proxy.mark()

    def made_anew() -> None:
        assert world.cluster.exists(f"{where}/workflowexecution-controller")
        assert [one.status for one in world.proxy.since(before) if one.is_write][-1] == 200

    eventually(made_anew, TAKEN_WITHIN_S, dump=world.dump)
    until_leading(world, TAKEN_WITHIN_S)
    stories.life(world, stories.target())
    tally.add(executions=1, restarts=watching.restarts)
    assert watching.restarts <= 1
