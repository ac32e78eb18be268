"""Measures the speed of the machine during a measurement: one piece of work, again and again.

A machine that shares its cores with others is at times twice as slow as at others; CPU time does
not tell that, as it grows by as much.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

_EVERY_S = 0.5
_ROUNDS = 20_000


@contextmanager
def yardstick() -> Iterator[list[float]]:
    """Within the block, milliseconds of CPU time of each piece of work so far."""
    times: list[float] = []
    ended = threading.Event()

    def measure() -> None:
        while not ended.wait(_EVERY_S):
            times.append(_milliseconds())

    thread = threading.Thread(target=measure, daemon=True)
    thread.start()
    try:
        yield times
    finally:
        ended.set()
        thread.join()


def middle(times: list[float]) -> float:
    """The median; not a number where there is none."""
    return median(times) if times else float("nan")


def _milliseconds() -> float:
    began = time.thread_time()
    found: dict[int, int] = {}
    for number in range(_ROUNDS):
        found[number % 5000] = number
    return (time.thread_time() - began) * 1000
