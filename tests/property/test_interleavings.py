"""A target has one run at a time in any order of events, requests, replies and crashes."""

import os
import secrets
import sys
from collections.abc import Iterator

import pytest

from model_holds import HeldLaunches
from model_interleavings import LeaderChanges, NamespaceChanges, OneOperator, TwoOperators
from model_search import search
from model_spellings import Spellings, Upgrade, Versions
from model_world import World
from reliability.results import is_long
from reliability.tally import Tally

# Schedules of each machine, in `make test` and in `make faults`.
MACHINES: dict[type[World], tuple[int, int]] = {
    OneOperator: (170, 4500),
    TwoOperators: (130, 2500),
    LeaderChanges: (130, 2500),
    NamespaceChanges: (80, 1000),
    HeldLaunches: (60, 1000),
    Spellings: (80, 1500),
    Versions: (50, 1000),
    Upgrade: (60, 1500),
}


@pytest.fixture(scope="module")
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    found = Tally("model-search")
    failed_before = request.session.testsfailed
    yield found
    everything = found.result.repetitions >= sum(long for _, long in MACHINES.values())
    if everything and request.session.testsfailed == failed_before:
        found.record()


@pytest.mark.parametrize("machine", MACHINES)
def test_whatever_the_order_of_things(machine: type[World], tally: Tally) -> None:
    short, long = MACHINES[machine]
    # A change that breaks a rule is to be told from one that does not; the long search explores.
    wanted, seed = (long, _new_seed()) if is_long() else (short, 1)
    counts = search(machine, wanted, seed, _tell)
    assert counts.schedules >= wanted
    assert counts.runs > counts.schedules, "too few histories launch anything"
    tally.add(executions=counts.executions, repetitions=counts.schedules, runs=counts.runs)


def _new_seed() -> int:
    """A seed nobody has tried, or the one to be tried again."""
    return int(os.environ.get("WFE_SEED", secrets.randbelow(2**32)))


def _tell(text: str) -> None:
    print(text, file=sys.__stderr__, flush=True)
