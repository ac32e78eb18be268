"""Several operators, of which one works: who leads, and who takes over."""

import os
import signal
from collections.abc import Iterator

import pytest

from harness.executions import phase_of
from harness.process import OperatorProcess
from harness.waiting import eventually, holds_for
from harness.world import World, open_world
from localcluster import Cluster

ELECTION = "--leader-election"
# A Lease lasts 15 s, and is looked at every second.
FAILOVER_S = 20.0
HANDOVER_S = 2.0


@pytest.fixture
def world(bare_cluster: Cluster) -> Iterator[World]:
    with open_world(bare_cluster, ELECTION, trouble=True) as opened:
        until_leading(opened, opened.operator, 10)
        yield opened


@pytest.fixture
def standby(world: World) -> Iterator[OperatorProcess]:
    second = world.new_operator(world.cluster.server)
    second.start()
    yield second
    if second.is_running:
        second.stop()


def is_leading(operator: OperatorProcess) -> bool:
    return operator.metric("workflowexecution_leader") == 1


def until_leading(world: World, operator: OperatorProcess, seconds: float) -> None:
    def check() -> None:
        assert is_leading(operator)

    eventually(check, seconds, dump=world.dump)


def test_a_standby_is_ready_and_writes_nothing(world: World, target: str) -> None:
    observer = world.new_operator(world.proxy.url)
    world.operator.stop()
    leader = world.new_operator(world.cluster.server)
    leader.start()
    until_leading(world, leader, 10)
    before = world.proxy.mark()
    observer.start()
    world.completed(target)
    world.ended(world.create(target), "Skipped")
    assert observer.ask("/readyz") == (200, "ok")
    assert not is_leading(observer)
    assert not [one.kind for one in world.proxy.since(before) if one.is_write]
    observer.stop()
    leader.stop()


def test_a_standby_remembers_no_run_that_is_gone(bare_cluster: Cluster, target: str) -> None:
    with open_world(bare_cluster, ELECTION, "--resync-interval=1s") as world:
        until_leading(world, world.operator, 10)
        standby = world.new_operator(world.cluster.server)
        standby.start()
        item, run = world.launched(target)
        run = world.tekton.begin(run)
        world.tekton.runs.delete(run)
        for task_run in world.tekton.task_runs.list(world.execution_namespace):
            world.tekton.task_runs.delete(task_run)
        world.ended(item, "Failed")

        def forgotten() -> None:
            assert standby.metric('workflowexecution_remembered{kind="run"}') == 0

        eventually(forgotten, dump=world.dump)
        standby.stop()


def test_a_graceful_stop_hands_over(world: World, standby: OperatorProcess, target: str) -> None:
    item, run = world.launched(target)
    world.operator.stop()
    until_leading(world, standby, HANDOVER_S)
    world.tekton.begin(run)
    world.tekton.succeed(run)
    world.ended(item, "Completed")
    # The standby has learnt of the target while it stood by.
    skipped = world.ended(world.create(target), "Skipped")
    assert skipped["status"]["skipDetails"]["reason"] == "RecentlyRemediated"


def test_what_a_killed_leader_left_is_taken_over(
    world: World, standby: OperatorProcess, target: str
) -> None:
    item, run = world.launched(target)
    world.operator.kill()
    world.tekton.begin(run)
    world.tekton.succeed(run)
    until_leading(world, standby, FAILOVER_S)
    world.ended(item, "Completed")


def test_a_leader_that_was_paused_ends_when_it_goes_on(
    world: World, standby: OperatorProcess, target: str
) -> None:
    os.kill(world.operator.pid, signal.SIGSTOP)
    until_leading(world, standby, FAILOVER_S)
    item = world.create(target)
    os.kill(world.operator.pid, signal.SIGCONT)
    assert world.operator.wait() == 1
    assert "leadership lost" in world.operator.log_text()
    world.in_phase(item, "Running")
    assert len(world.runs(target)) == 1


def test_who_stands_by_goes_on_standing_by(
    world: World, standby: OperatorProcess, target: str
) -> None:
    """Longer than a Lease lasts: a leader that renews keeps it."""
    holds_for(lambda: _assert_standing_by(standby), FAILOVER_S)
    assert phase_of(world.launched(target)[0]) == "Running"


def _assert_standing_by(standby: OperatorProcess) -> None:
    assert not is_leading(standby)
