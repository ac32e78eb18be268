"""The operator is killed at each write of each story, and started again: the end is the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import pytest

from faults import stories
from faults.rig import COOLDOWN
from faults.stories import Ending, Story, ending_of
from harness import faults
from harness.faults import Fault
from harness.history import History
from harness.waiting import eventually, holds_for
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object
from reliability import is_long
from reliability.tally import Tally

SCENARIO = "kills"
# Progress of a run is a write that depends on how fast everything goes.
FLAGS = ("--leftover-grace=1s", "--cancel-grace=1s", "--progress-interval=1h")
# How many writes each story takes, Events among them.
WRITES: dict[Story, int] = {
    stories.life: 5,
    stories.failure: 5,
    stories.skip: 7,
    stories.cooldown: 7,
    stories.deletion: 6,
    stories.stubborn: 8,
    stories.leftover: 8,
    stories.inherited: 6,
}
# `make test` tries one in so many.
SAMPLE = 1 if is_long() else 13
When = Literal["before", "after"]
KILLS: list[tuple[Story, int, When]] = [
    (story, number, when)
    for story, count in WRITES.items()
    for number in range(count)
    for when in ("before", "after")
]


@pytest.fixture(scope="module")
def world(bare_cluster: Cluster) -> Iterator[World]:
    with open_world(bare_cluster, *FLAGS) as opened:
        yield opened


@pytest.fixture(scope="module")
def undisturbed(world: World) -> dict[Story, list[Ending]]:
    """The ends of each story when nobody is killed; it takes just as many writes as are tried."""
    found = {}
    for story, count in WRITES.items():
        before = world.proxy.mark()
        items = story(world, stories.target())

        def all_written(before: int = before, count: int = count) -> None:
            kinds = [one.kind for one in world.proxy.since(before) if one.is_write]
            assert len(kinds) == count, kinds

        eventually(all_written, dump=world.dump)
        holds_for(all_written, 0.3)
        found[story] = endings_of(world, items)
    return found


def endings_of(world: World, items: list[Object]) -> list[Ending]:
    """The endings, less the Events: who is killed may not have told."""
    return [replace(ending_of(world, item), events=()) for item in items]


@pytest.mark.parametrize(
    ("story", "number", "when"),
    KILLS[::SAMPLE],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_killed_at_a_write(
    world: World,
    history: History,
    undisturbed: dict[Story, list[Ending]],
    tally: Tally,
    story: Story,
    number: int,
    when: When,
) -> None:
    def kill_and_start() -> None:
        world.operator.kill()
        world.operator.start(wait=False)

    act = faults.call(kill_and_start)
    fault = world.proxy.inject(Fault(matches=faults.is_write, when=when, act=act, skip=number))
    items = story(world, stories.target())

    def is_the_same() -> None:
        assert fault.struck == 1
        assert endings_of(world, items) == undisturbed[story]

    try:
        eventually(is_the_same, stories.PATIENCE_S, dump=world.dump)
    finally:
        world.proxy.heal()
        wrong = history.wrong_steps() + history.wrong_ends(COOLDOWN)
        tally.add(
            executions=len(items),
            double_runs=len(history.double_runs()),
            lost=len(history.lost()),
            wrong_phases=len(wrong),
        )
    assert history.double_runs() == []
    assert wrong == []
    world.operator.until_ready()
