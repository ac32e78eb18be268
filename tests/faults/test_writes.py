"""Every write fails in every way: the end is the same as without faults, at bounded cost."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from faults import stories
from faults.stories import Ending, Story, ending_of
from faults.ways import WAYS, Way
from harness import faults
from harness.exchange import Exchange
from harness.faults import Fault, Matches
from harness.history import History
from harness.waiting import eventually, holds_for
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object
from reliability import is_long
from reliability.tally import Tally
from workflowexecution.core import names

# Short graces, so that what is done after them is done soon, and longer than a few failures take.
# And no resync in the midst of what is counted: all cells together take longer than ten minutes.
FLAGS = (
    "--leftover-grace=1s",
    "--cancel-grace=4s",
    "--progress-interval=1h",
    "--resync-interval=24h",
)
STRIKES = (1, 4)
# `make test` tries one in so many of the short cells, and one in so many of the long ones.
SAMPLE, SLOW_SAMPLE = 24, 60
# Longer than any back-off that is due when a story has come to its end.
QUIET_S = 0.4
# Longer than the time between two looks for what is left of a run: its target is free after them.
FREE_AFTER_S = 3.0
# Time passes, and what a watch tells of meanwhile is looked at, too.
MORE_REQUESTS = 4


def has_phase(phase: str) -> Matches:
    """Match the write of a phase."""

    def matches(exchange: Exchange) -> bool:
        is_status = exchange.kind == "patch workflowexecutions/status"
        return is_status and exchange.json()["status"].get("phase") == phase

    return matches


def has_reason(reason: str) -> Matches:
    """Match the record of an Event."""

    def matches(exchange: Exchange) -> bool:
        return exchange.kind == "create events" and exchange.json()["reason"] == reason

    return matches


@dataclass(frozen=True, slots=True)
class Write:
    """A write, and the story in which it is done once."""

    kind: str
    name: str
    matches: Matches
    story: Story
    # An answer that is not understood costs a look at what is there, and another try.
    requests_for_a_strike: int = 3


WRITES = (
    Write("objects", "create-run", faults.kind("create pipelineruns"), stories.life),
    Write("status", "status-running", has_phase("Running"), stories.life),
    Write("status", "status-completed", has_phase("Completed"), stories.life),
    Write("status", "status-failed", has_phase("Failed"), stories.failure),
    Write("status", "status-busy", has_phase("Skipped"), stories.skip),
    Write("status", "status-cooling", has_phase("Skipped"), stories.cooldown),
    Write("events", "event-created", has_reason("PipelineRunCreated"), stories.life),
    Write("events", "event-completed", has_reason("WorkflowCompleted"), stories.life),
    Write("events", "event-failed", has_reason("WorkflowFailed"), stories.failure),
    Write("events", "event-skipped", has_reason("Skipped"), stories.skip),
    Write("events", "event-deleted", has_reason("WorkflowExecutionDeleted"), stories.deletion),
    Write("objects", "cancel", faults.kind("patch pipelineruns"), stories.deletion),
    # Before each try its tasks, pods, nested runs and custom tasks are looked at.
    Write("objects", "delete-run", faults.kind("delete pipelineruns"), stories.stubborn, 7),
    Write("objects", "delete-pod", faults.kind("delete pods"), stories.leftover),
    Write("objects", "drop-finalizer", faults.kind("patch workflowexecutions"), stories.inherited),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One write, failing in one way so many times in a row."""

    write: Write
    way: Way
    strikes: int

    @property
    def name(self) -> str:
        return f"{self.write.kind}-{self.write.name}-{self.way.name}-{self.strikes}"

    @property
    def is_refused(self) -> bool:
        """Whether something else is done or told in its place, which is another story."""
        if self.write.kind == "status" or self.write.name == "delete-pod":
            return self.way.is_refusal or self.way.name in ("no-right", "gone", "exists")
        return self.write.name in ("create-run", "cancel", "delete-run") and self.way.is_refusal

    @property
    def loses_events(self) -> bool:
        """Whether an Event is given up, being a courtesy."""
        is_of_event = self.write.kind == "events"
        if is_of_event:
            return self.way.is_definite
        # Who is told nothing of a write that is done in the end cannot tell of it; nor can one say
        # of what is gone when it is looked for again who has deleted it.
        is_deletion = self.write.name.startswith("delete-") and self.way.when == "after"
        return self.way.is_carried_out_late or (is_deletion and not self.way.is_definite)


def chosen_cells() -> list[Cell]:
    """All cells, or the same few of them every time."""
    cells = [
        Cell(write, way, strikes)
        for write in WRITES
        for way in WAYS
        for strikes in (STRIKES if way.seconds < 2 else STRIKES[:1])
    ]
    return [cell for cell in cells if not cell.is_refused and (is_long() or _is_in_sample(cell))]


def _is_in_sample(cell: Cell) -> bool:
    number = int(hashlib.sha256(cell.name.encode()).hexdigest(), 16)
    return number % (SAMPLE if cell.way.seconds < 2 else SLOW_SAMPLE) == 0


@pytest.fixture(scope="module")
def world(bare_cluster: Cluster) -> Iterator[World]:
    with open_world(bare_cluster, *FLAGS) as opened:
        yield opened


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """The end of a story without faults, and the number of requests that it takes."""

    endings: list[Ending]
    requests: int


@pytest.fixture(scope="module")
def undisturbed(world: World) -> dict[Story, Undisturbed]:
    """Every story, played without faults."""
    found = {}
    for write in WRITES:
        if write.story not in found:
            before = world.proxy.mark()
            items = write.story(world, stories.target())
            endings = settled(world, items, FREE_AFTER_S)
            found[write.story] = Undisturbed(endings, len(world.proxy.since(before)))
    return found


def settled(world: World, items: list[Object], quiet_s: float = QUIET_S) -> list[Ending]:
    """The endings, once nothing changes any more for a moment."""

    def unchanged() -> list[Ending]:
        mark = world.proxy.mark()
        holds_for(lambda: None, quiet_s)
        assert world.proxy.mark() == mark, "the operator is at work"
        return [ending_of(world, item) for item in items]

    return eventually(unchanged, stories.PATIENCE_S, dump=world.dump)


def meant(cell: Cell, endings: list[Ending]) -> list[Ending]:
    """The ends that have to come out, less the Events that may be lost in this way."""
    is_told = not cell.loses_events
    return [ending if is_told else replace(ending, events=()) for ending in endings]


def is_about(items: list[Object], request: Exchange) -> bool:
    """Whether a request is not a look for what is left of the run of an earlier story."""
    runs = re.findall(r"wfe-[0-9a-f]{16}", request.url) if request.verb == "list" else []
    own = {names.run_name(item["spec"]["targetResource"], 1)[: len("wfe-") + 16] for item in items}
    return not runs or bool(own & set(runs))


@pytest.mark.parametrize("cell", chosen_cells(), ids=lambda cell: cell.name)
def test_the_end_is_the_same(
    world: World,
    history: History,
    undisturbed: dict[Story, Undisturbed],
    tallies: Callable[[str], Tally],
    cell: Cell,
) -> None:
    way, plain = cell.way, undisturbed[cell.write.story]
    expected = meant(cell, plain.endings)
    fault = Fault(matches=cell.write.matches, when=way.when, act=way.act, times=cell.strikes)
    before = world.proxy.mark()
    world.proxy.inject(fault)

    def is_the_same() -> None:
        assert meant(cell, [ending_of(world, item) for item in items]) == expected

    try:
        items = cell.write.story(world, stories.target())
        eventually(is_the_same, stories.PATIENCE_S, dump=world.dump)
    finally:
        world.proxy.heal()
        endings = meant(cell, settled(world, items))
        wrong = sum(one != other for one, other in zip(endings, expected, strict=True))
        tallies(f"writes-{cell.write.kind}").add(
            executions=len(items),
            double_runs=len(history.double_runs()),
            lost=len(history.lost()),
            wrong_phases=wrong + len(history.wrong_steps()),
        )
    assert endings == expected
    assert fault.struck >= 1
    assert history.double_runs() == []
    assert history.wrong_steps() == []
    asked = Counter(one.kind for one in world.proxy.since(before) if is_about(items, one))
    bound = plain.requests + cell.write.requests_for_a_strike * fault.struck + MORE_REQUESTS
    assert asked.total() <= bound, asked
