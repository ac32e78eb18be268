"""Places are bounded, in all and of one visitor, and are given back."""

from contextlib import ExitStack

import pytest

from workflowexecution.page.places import Places, TooManyError


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
