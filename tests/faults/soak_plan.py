"""The lengths of the soak, short and long, and the bounds for what must not grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from reliability import is_long
from reliability.growth import Bound

PER_S = 5.0
RSS = "rss_mb"
FEW = Bound(least=4)
MEMORY = Bound(share=0.05, least=3)
REMEMBERED = Bound(share=0.05, least=5)
# Where the machine stalls, what a skip rests on is too old when it is decided, and is read again.
REQUESTS = Bound(share=0.05, least=0.05)
OBJECTS = tuple(f'workflowexecution_remembered{{kind="{kind}"}}' for kind in ("execution", "run"))
COUNTS = {
    "fds": FEW,
    "sockets": FEW,
    "threads": FEW,
    "workflowexecution_tasks": FEW,
    **dict.fromkeys(OBJECTS, REMEMBERED),
    **{f'workflowexecution_remembered{{kind="{kind}"}}': REMEMBERED for kind in ("pass", "timer")},
    # Targets that have cooled down are forgotten at the next resync: their number goes up and down.
    'workflowexecution_remembered{kind="target"}': Bound(share=0.3),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The length of each part, in seconds, and the bounds.

    phases: of traffic; the leader is stopped after the first and killed after the second.
    sample: time between two samples.
    judged: how long somebody must have led, or stood by, to be judged.
    bounds: what must not grow meanwhile.
    history: how many objects more there may be in the last phase.
    requests: how far requests for each execution may change in the last phase.
    """

    phases: tuple[float, ...]
    sample: float
    judged: float
    targets: int
    cooldown: timedelta
    retention: int
    resync: int
    bounds: Mapping[str, Bound]
    history: Bound
    requests: Bound

    @property
    def flags(self) -> tuple[str, ...]:
        return (
            "--leader-election",
            f"--cooldown={self.cooldown.total_seconds():.0f}s",
            f"--run-retention={self.retention}s",
            f"--failed-run-retention={self.retention * 2}s",
            f"--execution-retention={self.retention * 2}s",
            f"--resync-interval={self.resync}s",
            "--leftover-grace=5s",
        )


# Half a minute tells what is left of every execution. What grows more slowly it does not tell, and
# on a busy machine as many may be under way at one time and not at another: what is remembered of
# objects follows how many there are. That nothing is left at the end is asserted exactly.
MORE_OBJECTS = Bound(least=60)
SHORT = Plan(
    phases=(6.0, 22.0),
    sample=0.5,
    judged=15.0,
    targets=40,
    cooldown=timedelta(seconds=4),
    retention=4,
    resync=4,
    bounds={**dict.fromkeys(COUNTS, Bound(least=30)), **dict.fromkeys(OBJECTS, MORE_OBJECTS)},
    history=MORE_OBJECTS,
    requests=Bound(least=2),
)
LONG = Plan(
    phases=(300.0, 300.0, 1200.0),
    sample=5.0,
    # Connections are kept, up to as many as were ever needed at once: that takes some minutes.
    judged=600.0,
    targets=240,
    cooldown=timedelta(seconds=20),
    retention=30,
    resync=10,
    bounds={RSS: MEMORY, **COUNTS},
    history=Bound(share=0.1, least=20),
    requests=REQUESTS,
)
PLAN = LONG if is_long() else SHORT
