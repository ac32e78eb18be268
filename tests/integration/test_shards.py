"""Several operators share the targets: each execution is served once, by the one it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from faults.load import Load
from faults.rig import rigged
from harness.executions import name_of
from harness.process import OperatorProcess
from harness.proxy import Proxy
from harness.waiting import eventually, holds_for
from harness.world import World, open_world
from localcluster import Cluster
from reliability.tally import Tally
from workflowexecution.core import names
from workflowexecution.core.names import Shard

PER_S, LOADED_S, DRAINED_WITHIN_S = 8.0, 4.0, 30.0
COOLDOWN = timedelta(seconds=2)
FLAGS = (f"--cooldown={COOLDOWN.total_seconds():.0f}s", "--resync-interval=2s")


@dataclass
class Members:
    """The operators of some shards, each behind a proxy of its own."""

    operators: dict[Shard, OperatorProcess] = field(default_factory=dict)
    proxies: dict[Shard, Proxy] = field(default_factory=dict)


@contextmanager
def members(world: World, of: int) -> Iterator[Members]:
    """So many operators, one for each shard, until the block is left."""
    found = Members()
    with ExitStack() as stack:
        for number in range(1, of + 1):
            shard = Shard(number, of)
            proxy = stack.enter_context(closing(Proxy(world.cluster)))
            operator = world.new_operator(proxy.url, f"--shard={shard}")
            operator.start(wait=False)
            found.operators[shard], found.proxies[shard] = operator, proxy
        for operator in found.operators.values():
            operator.until_ready()
        yield found
        for operator in found.operators.values():
            operator.stop()
            operator.assert_clean_log()


@pytest.fixture
def world(bare_cluster: Cluster) -> Iterator[World]:
    with open_world(bare_cluster, *FLAGS, started=False) as opened:
        yield opened


@pytest.mark.parametrize("of", [2, 3])
def test_every_shard_serves_its_targets_and_no_others(world: World, of: int) -> None:
    with rigged(world) as rig, members(world, of) as shards:
        with closing(Load(world, PER_S)) as load:
            holds_for(lambda: None, LOADED_S)
        rig.drained(load, DRAINED_WITHIN_S)
        rig.judge(Tally("shards"), recovery_s=None, cooldown=COOLDOWN)
        targets = {item["metadata"]["name"]: item["spec"]["targetResource"] for item in load.items}
        for shard, proxy in shards.proxies.items():
            written = {
                targets[one.name]
                for one in proxy.since()
                if one.kind == "patch workflowexecutions/status"
            }
            assert written, f"{shard} has served nobody"
            assert all(shard.holds(names.target_key(target)) for target in written)


def test_another_number_of_shards_takes_over_under_load(world: World) -> None:
    """For a while both numbers are at work, as in a rolling update; nothing runs twice."""
    with rigged(world) as rig, ExitStack() as stack:
        load = stack.enter_context(closing(Load(world, PER_S)))
        with members(world, 2), ExitStack() as later:
            holds_for(lambda: None, LOADED_S / 2)
            later.enter_context(members(world, 3))
            holds_for(lambda: None, LOADED_S / 2)
            stack.push(later.pop_all())
        holds_for(lambda: None, LOADED_S / 2)
        load.close()
        rig.drained(load, DRAINED_WITHIN_S)
        rig.judge(Tally("shards"), recovery_s=None, cooldown=COOLDOWN)


def test_a_shard_without_an_operator_keeps_what_is_its_own_waiting(world: World) -> None:
    first, second = Shard(1, 2), Shard(2, 2)
    targets = [f"payment/Deployment/app-{number}" for number in range(20)]
    ours = next(one for one in targets if first.holds(names.target_key(one)))
    theirs = next(one for one in targets if second.holds(names.target_key(one)))
    proxy = world.proxy
    operator = world.new_operator(proxy.url, f"--shard={first}")
    operator.start()
    waiting = world.create(theirs)
    served = world.in_phase(world.create(ours), "Running")
    assert "phase" not in world.read(waiting)["status"]
    other = world.new_operator(proxy.url, f"--shard={second}")
    other.start()
    eventually(lambda: world.in_phase(waiting, "Running"), dump=world.dump)
    assert name_of(world.run_of(served)) != name_of(world.run_of(waiting))
    for one in (operator, other):
        one.stop()
