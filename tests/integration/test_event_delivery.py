"""CloudEvents come at least once: the operator is killed, or another one leads, before they do."""

from __future__ import annotations

import asyncio
from collections import Counter

from harness.executions import name_of
from harness.receiver import Receiver, open_receiver
from harness.waiting import eventually
from harness.world import SETTINGS, World, open_world
from localcluster import Cluster
from localcluster.cluster import Object

MARK = "kubernaut.ai/cloudevents-shard-1-of-1"
# A Lease lasts 15 s, and is looked at every second.
TAKEN_OVER_S = 40.0


def ids_of(item: Object, *phases: str) -> set[str]:
    return {f"{item['metadata']['uid']}-{phase}" for phase in phases}


def taken(sink: Receiver) -> Counter[str]:
    """The ids of the events that the sink has taken, and how often."""
    return Counter(headers["ce-id"] for headers, _ in sink.took)


def until_taken(world: World, sink: Receiver, ids: set[str], seconds: float = 20.0) -> None:
    def check() -> None:
        assert ids <= set(taken(sink)), f"missing: {ids - set(taken(sink))}"

    eventually(check, seconds, dump=world.dump)


def until_tried(world: World, sink: Receiver) -> None:
    def check() -> None:
        assert sink.taken, "the sink was not asked"

    eventually(check, dump=world.dump)


async def test_what_was_not_taken_is_sent_after_a_kill(bare_cluster: Cluster, target: str) -> None:
    async with open_receiver("/events") as sink:
        await asyncio.to_thread(_killed, bare_cluster, target, sink)


def _killed(cluster: Cluster, target: str, sink: Receiver) -> None:
    with open_world(cluster, f"--cloudevents-sink={sink.url}", trouble=True) as world:
        sink.refuses = lambda _: 503
        ended, _ = world.completed(target, parameters={"PASSWORD": "hunter2"})
        skipped = world.ended(world.create(target), "Skipped")
        until_tried(world, sink)
        world.operator.kill()
        assert not taken(sink)

        sink.refuses = lambda _: 200
        world.operator.start()
        told = ids_of(ended, "running", "completed") | ids_of(skipped, "skipped")
        until_taken(world, sink, told)
        assert set(taken(sink)) == told
        assert not [body for _, body in sink.taken if b"hunter2" in body]

        def marked() -> None:
            path = SETTINGS.format(world.execution_namespace)
            notes = cluster.request("GET", path)["metadata"].get("annotations", {})
            assert MARK in notes, notes

        eventually(marked, dump=world.dump)


async def test_what_was_lost_with_its_answer_comes_twice_with_one_id(
    bare_cluster: Cluster, target: str
) -> None:
    async with open_receiver("/events") as sink:
        await asyncio.to_thread(_answer_lost, bare_cluster, target, sink)


def _answer_lost(cluster: Cluster, target: str, sink: Receiver) -> None:
    with open_world(cluster, f"--cloudevents-sink={sink.url}", trouble=True) as world:
        sink.loses = 1
        ended, _ = world.completed(target)
        until_taken(world, sink, ids_of(ended, "running", "completed"))
    (twice,) = ids_of(ended, "running")
    assert taken(sink)[twice] == 2
    assert len({body for headers, body in sink.taken if headers["ce-id"] == twice}) == 1


async def test_who_leads_next_sends_what_the_last_leader_could_not(
    bare_cluster: Cluster, target: str
) -> None:
    async with open_receiver("/events") as sink:
        await asyncio.to_thread(_taken_over, bare_cluster, target, sink)


def _taken_over(cluster: Cluster, target: str, sink: Receiver) -> None:
    flags = ("--leader-election", f"--cloudevents-sink={sink.url}")
    with open_world(cluster, *flags, trouble=True) as world:
        standby = world.new_operator(world.cluster.server)
        standby.start()
        sink.is_open.clear()
        ended, _ = world.completed(target)
        until_tried(world, sink)
        world.operator.kill()
        sink.release()
        until_taken(world, sink, ids_of(ended, "running", "completed"), TAKEN_OVER_S)
        assert name_of(ended) in world.dump()
        standby.stop()
