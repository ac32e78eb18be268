"""Plays many histories of a machine, and counts those that were really played."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from model_store import EXECUTIONS, RUNS
from model_world import World

# After so many a new seed is taken, and progress is told.
AT_ONCE: Final = 250
STEPS: Final = 30


@dataclass(slots=True)
class Counts:
    """The histories that were played: whole ones only, each of them checked to its end."""

    schedules: int = 0
    executions: int = 0
    runs: int = 0
    began_at: float = field(default_factory=time.monotonic)

    @property
    def per_second(self) -> float:
        return self.schedules / max(time.monotonic() - self.began_at, 0.001)

    def add(self, world: World) -> None:
        self.schedules += 1
        self.executions += _created(world, EXECUTIONS)
        self.runs += _created(world, RUNS)


def search(
    machine: type[World],
    wanted: int,
    first_seed: int,
    tell: Callable[[str], object] = lambda text: None,
) -> Counts:
    """Play at least so many histories.

    Raises: what a broken rule raises, with the shortest history that was found for it.
    """
    counts, number = Counts(), first_seed
    while counts.schedules < wanted:
        before = counts.schedules
        left = min(AT_ONCE, wanted - counts.schedules)
        tell(f"{machine.__name__}: seed {number}")
        play(machine, settings(max_examples=left), number, counts)
        assert counts.schedules > before, "hypothesis has played nothing"
        tell(
            f"{machine.__name__}: {counts.schedules}/{wanted} schedules, "
            f"{counts.per_second:.0f}/s, {counts.executions} executions, {counts.runs} runs"
        )
        number += 1
    return counts


def play(machine: type[World], how: settings, number: int, counts: Counts) -> None:
    """Play histories from one seed."""

    def teardown(world: Any) -> None:
        machine.teardown(world)
        if world.is_complete:
            counts.add(world)

    counted: Any = seed(number)(type(machine.__name__, (machine,), {"teardown": teardown}))
    run_state_machine_as_test(
        counted,
        settings=settings(
            how,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def only_generate(count: int) -> settings:
    """Settings for a search that only has to fail, and not to explain."""
    return settings(max_examples=count, phases=(Phase.generate,), report_multiple_bugs=False)


def _created(world: World, kind: str) -> int:
    return sum(event == "ADDED" for event, _ in world.server.history[kind])
