"""Whether a process has grown: the last quarter of what was measured against the second one.

The first quarter is left out, in which caches fill and pools open; medians, so that no single
sample decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

# With fewer samples in all a quarter is no measurement.
FEWEST = 8


@dataclass(frozen=True, slots=True)
class Bound:
    """The increase that does not count as growth: a share, or `least` if that is more."""

    share: float = 0.0
    least: float = 0.0

    def allowance(self, before: float) -> float:
        """The difference that a value may have from an earlier one."""
        return max(self.share * before, self.least)


@dataclass(frozen=True, slots=True)
class Window:
    """The requests within some time, by kind, and the executions that were created in it."""

    requests: Mapping[str, int]
    executions: int

    def each(self, kind: str) -> float:
        """Requests of a kind for each execution."""
        return self.requests.get(kind, 0) / self.executions

    @property
    def total(self) -> float:
        """Requests of all kinds for each execution."""
        return sum(self.requests.values()) / self.executions


def quarters(count: int) -> tuple[slice, slice]:
    """The positions of the second and of the last quarter of so many samples.

    Raises: ValueError where there are too few.
    """
    if count < FEWEST:
        raise ValueError(f"{count} samples are too few to judge by; {FEWEST} are needed")
    return slice(count // 4, count // 2), slice(count * 3 // 4, count)


def change(values: Sequence[float]) -> tuple[float, float]:
    """The medians of the second and of the last quarter."""
    second, last = quarters(len(values))
    return median(values[second]), median(values[last])


def grown(series: Mapping[str, Sequence[float]], bounds: Mapping[str, Bound]) -> list[str]:
    """Say of everything that has grown how much; all that has a bound must have been measured."""
    found = []
    for name, bound in bounds.items():
        before, after = change(series[name])
        if after - before > bound.allowance(before):
            found.append(
                f"{name} grew from {before:.1f} to {after:.1f}, "
                f"by more than {bound.allowance(before):.1f}"
            )
    return found


def changed(before: Window, after: Window, bound: Bound) -> list[str]:
    """Say of each kind of request how it has changed for each execution, more or fewer."""
    kinds = sorted({*before.requests, *after.requests})
    pairs = {kind: (before.each(kind), after.each(kind)) for kind in kinds}
    pairs["all"] = (before.total, after.total)
    return [
        f"{kind}: {now:.3f} for each execution, was {was:.3f}"
        for kind, (was, now) in pairs.items()
        if abs(now - was) > bound.allowance(was)
    ]
