"""Wait for a fact with a deadline; say what was seen instead when it does not come."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")

POLL_S = 0.03
DEADLINE_S = 20.0


def eventually(
    check: Callable[[], _T],
    seconds: float = DEADLINE_S,
    *,
    dump: Callable[[], str] = lambda: "",
) -> _T:
    """Repeat `check` until it raises no AssertionError, and return what it returns.

    Raises the last AssertionError at the deadline, with what `dump` has to say.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return check()
        except AssertionError as error:
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds:g} s: {error}\n{dump()}") from error
        time.sleep(POLL_S)


def holds_for(check: Callable[[], object], seconds: float) -> None:
    """Watch over a fact that must stay true; raises the AssertionError of `check` at once."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        check()
        time.sleep(POLL_S)
