"""The scenarios of `make faults`, in the order in which they run and are shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that is tried.

    name: what `ONLY=` calls it.
    title: what the table calls it.
    tests: arguments of pytest that select it.
    """

    name: str
    title: str
    tests: tuple[str, ...]


SCENARIOS: tuple[Scenario, ...] = ()


def named(name: str) -> Scenario:
    """The scenario of a name. Raises: KeyError."""
    return {scenario.name: scenario for scenario in SCENARIOS}[name]
