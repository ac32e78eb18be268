"""Answers are shared for a while; places are bounded, and are given back."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from workflowexecution.kube import errors
from workflowexecution.page.limits import Places, ShortCache, ShortMemo, TooManyError


def test_one_visitor_has_only_some_of_the_places() -> None:
    places = Places(5, 2)
    with ExitStack() as taken:
        for visitor in ("ann", "ann", "ben", "ben"):
            taken.enter_context(places.take(visitor))
        with pytest.raises(TooManyError, match="4 of 5"), places.take("ann"):
            pass
        taken.enter_context(places.take("eve"))
        with pytest.raises(TooManyError, match="5 of 5"), places.take("dan"):
            pass
    assert len(places) == 0
    with places.take("ann"), places.take("ann"):
        assert len(places) == 2


def test_a_place_is_given_back_by_whoever_fails() -> None:
    places = Places(1, 1)
    for _ in range(3):
        with pytest.raises(KeyError), places.take("ann"):
            raise KeyError
    assert len(places) == 0


async def test_what_failed_is_asked_again_and_what_is_old_too() -> None:
    now = 0.0
    answers: Iterator[int | Exception] = iter([errors.UnavailableError("no"), 1, 2])
    cache = ShortCache[str, int](size=2, seconds=5, monotonic=lambda: now)

    async def ask() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(errors.UnavailableError):
        await cache.get("key", ask)
    assert await cache.get("key", ask) == 1
    now = 4.9
    assert await cache.get("key", ask) == 1
    now = 5.0
    assert await cache.get("key", ask) == 2


async def test_a_cache_has_a_size() -> None:
    cache = ShortCache[int, int](size=3, seconds=60)

    async def ask() -> int:
        return 1

    for key in range(50):
        await cache.get(key, ask)
    assert len(cache) == 3


def test_what_takes_long_is_worked_out_once_in_a_while() -> None:
    now, answers = 0.0, iter([1, 2])
    memo = ShortMemo(1.0, lambda: next(answers), lambda: now)
    assert (memo.get(), memo.get()) == (1, 1)
    now = 1.0
    assert memo.get() == 2
