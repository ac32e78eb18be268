"""A leak is found in a noisy series, and noise alone is no leak."""

import random
from collections.abc import Callable

import pytest

from reliability.growth import FEWEST, Bound, Window, change, changed, grown

MEMORY = Bound(share=0.05, least=3.0)
COUNT = Bound(least=3)
REQUESTS = Bound(share=0.05, least=0.01)
SAMPLES = 240


def series(shape: Callable[[float], float], noise: float) -> list[float]:
    """Samples over a time from 0 to 1, with noise that is the same every time."""
    chosen = random.Random(7)
    moments = (number / SAMPLES for number in range(SAMPLES))
    return [shape(moment) + chosen.uniform(-noise, noise) for moment in moments]


def flat(_: float) -> float:
    return 80.0


def warming_up(moment: float) -> float:
    return 80.0 - 30.0 * max(0.2 - moment, 0) * 5


def leaking(moment: float) -> float:
    return 80.0 + 12.0 * moment


def in_steps(moment: float) -> float:
    """As an allocator asks the system for memory: rarely, and for much at once."""
    return 80.0 + 5.0 * (moment > 0.6)


def spiking(moment: float) -> float:
    return 500.0 if round(moment * SAMPLES) % 20 == 0 else 80.0


@pytest.mark.parametrize("shape", [flat, warming_up, spiking])
def test_what_does_not_grow_is_left_in_peace(shape: Callable[[float], float]) -> None:
    assert grown({"memory": series(shape, 1.0)}, {"memory": MEMORY}) == []


@pytest.mark.parametrize("shape", [leaking, in_steps])
def test_what_grows_is_named_with_numbers(shape: Callable[[float], float]) -> None:
    (found,) = grown({"memory": series(shape, 0.2)}, {"memory": MEMORY})
    assert found.startswith("memory grew from 8")
    assert found.endswith("by more than 4.2") or found.endswith("by more than 4.0")


def test_one_more_for_each_minute_is_a_leak_of_handles() -> None:
    handles = [40.0 + number // 12 for number in range(SAMPLES)]
    assert grown({"fds": handles}, {"fds": COUNT}) != []
    assert grown({"fds": [40.0 + number % 3 for number in range(SAMPLES)]}, {"fds": COUNT}) == []


def test_the_larger_of_the_two_bounds_counts() -> None:
    small = [10.0] * 6 + [12.5] * 2
    assert grown({"memory": small}, {"memory": MEMORY}) == []
    assert grown({"memory": small}, {"memory": Bound(share=0.05)}) != []


def test_what_shrinks_has_not_grown() -> None:
    assert grown({"memory": series(lambda moment: 90 - 40 * moment, 0)}, {"memory": MEMORY}) == []


def test_the_second_quarter_is_compared_with_the_last() -> None:
    assert change([9, 9, 1, 1, 9, 9, 2, 2]) == (1, 2)


def test_too_little_is_never_judged() -> None:
    with pytest.raises(ValueError, match="too few"):
        change([1.0] * (FEWEST - 1))


def test_what_was_not_measured_is_an_error() -> None:
    with pytest.raises(KeyError):
        grown({}, {"memory": MEMORY})


def test_requests_are_compared_for_each_execution() -> None:
    before = Window({"create pipelineruns": 700, "list pods": 10}, 1000)
    twice_as_many = Window({"create pipelineruns": 1405, "list pods": 22}, 2000)
    assert changed(before, twice_as_many, REQUESTS) == []


@pytest.mark.parametrize(
    ("after", "kinds"),
    [
        ({"create events": 1000, "get pipelineruns": 150}, ["get pipelineruns", "all"]),
        ({"create events": 1000, "get pipelineruns": 80}, ["get pipelineruns"]),
        ({"create events": 1000, "get pipelineruns": 100, "get pods": 20}, ["get pods"]),
        ({"create events": 1000, "get pipelineruns": 100, "get pods": 5}, []),
    ],
    ids=["more", "fewer", "new", "hardly"],
)
def test_a_change_is_told_by_kind(after: dict[str, int], kinds: list[str]) -> None:
    before = Window({"create events": 1000, "get pipelineruns": 100}, 1000)
    found = changed(before, Window(after, 1000), Bound(share=0.04, least=0.01))
    assert [one.split(":")[0] for one in found] == kinds
