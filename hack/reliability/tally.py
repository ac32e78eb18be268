"""Results of the tests of a session, added up for each scenario."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace

from reliability.results import ScenarioResult, record


@dataclass(slots=True)
class Tally:
    """Sums up one scenario: numbers are added, of times and restarts the largest is kept."""

    scenario: str
    result: ScenarioResult = field(init=False)
    extras: Counter[str] = field(default_factory=Counter)
    began_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.result = ScenarioResult(scenario=self.scenario, repetitions=0, executions=0)

    def add(
        self,
        *,
        executions: int,
        repetitions: int = 1,
        double_runs: int = 0,
        lost: int = 0,
        wrong_phases: int = 0,
        recovery_s: float | None = None,
        restarts: int = 0,
        **extras: int,
    ) -> None:
        """Add what one test, or one repetition of it, has found; extras go into the note."""
        self.extras.update(extras)
        so_far = self.result
        times = [one for one in (so_far.recovery_s, recovery_s) if one is not None]
        self.result = replace(
            so_far,
            repetitions=so_far.repetitions + repetitions,
            executions=so_far.executions + executions,
            double_runs=so_far.double_runs + double_runs,
            lost=so_far.lost + lost,
            wrong_phases=so_far.wrong_phases + wrong_phases,
            recovery_s=max(times, default=None),
            restarts=max(so_far.restarts, restarts),
            note=", ".join(
                f"{number} {what.replace('_', ' ')}"
                for what, number in self.extras.items()
                if number
            ),
        )

    def record(self) -> None:
        """Keep the sum."""
        record(replace(self.result, duration_s=time.monotonic() - self.began_at))
