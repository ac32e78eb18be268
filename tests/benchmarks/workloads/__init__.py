"""The workloads by name; each gives numbers by key, and series for the plots."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from benchmarks.history import History
from benchmarks.rig import Rig

Series = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Context:
    """The place where a workload is played; `is_full` asks for the long one."""

    rig: Rig
    history: History
    is_full: bool
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def next_number(self) -> int:
        """A number that no other execution has in its name."""
        return next(self.numbers)


@dataclass(frozen=True, slots=True)
class Result:
    """Numbers by key, and lists of numbers for the plots."""

    values: dict[str, float]
    series: Series = field(default_factory=dict)


Workload = Callable[[Context], Result]
