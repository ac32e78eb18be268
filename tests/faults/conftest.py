"""Fixtures of all fault scenarios."""

import time
from collections.abc import Callable, Iterator

import pytest

from harness.history import History
from harness.world import World
from reliability import is_long
from reliability.tally import Tally


@pytest.fixture(scope="module")
def tallies(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Tally]]:
    """Adds up what a module's tests find, for each scenario.

    Kept where whole scenarios are asked for and all tests of the module have passed.
    """
    failed_before, began_at = request.session.testsfailed, time.monotonic()
    found: dict[str, Tally] = {}
    yield lambda name: found.setdefault(name, Tally(name, began_at=began_at))
    if is_long() and request.session.testsfailed == failed_before:
        for tally in found.values():
            tally.record()


@pytest.fixture
def tally(request: pytest.FixtureRequest, tallies: Callable[[str], Tally]) -> Tally:
    """Adds up what tests find, in modules that are about one scenario."""
    return tallies(request.module.SCENARIO)


@pytest.fixture(scope="module")
def history(world: World) -> Iterator[History]:
    """All that is written in the module's world."""
    recorded = History(world.cluster, world.execution_namespace, world.sources)
    yield recorded
    recorded.close()
