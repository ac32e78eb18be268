"""The API server away: how that looks from the operator's side, and how it comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness import faults
from harness.faults import Act, Fault
from harness.proxy import Proxy

ALWAYS = 10**9
RESOURCES = ("workflowexecutions", "pipelineruns")


@dataclass(frozen=True, slots=True)
class Outage:
    """A way to be away."""

    name: str
    begin: Callable[[Proxy], None]


def answering(act: Act) -> Callable[[Proxy], None]:
    """Answer every request like this, and end every watch."""

    def begin(proxy: Proxy) -> None:
        proxy.inject(Fault(matches=faults.anything, when="before", act=act, times=ALWAYS))
        proxy.cut_watches()

    return begin


def black_hole(proxy: Proxy) -> None:
    """Accept connections and say nothing any more, on those that are open neither."""
    act = faults.hang(ALWAYS)
    proxy.inject(Fault(matches=faults.anything, when="before", act=act, times=ALWAYS))
    proxy.withheld.update(RESOURCES)


def end(proxy: Proxy) -> None:
    """Be there again."""
    proxy.heal()
    proxy.listen()


OUTAGES = (
    Outage("503", answering(faults.answer(503, "ServiceUnavailable"))),
    Outage("refused", Proxy.refuse_connections),
    Outage("black-hole", black_hole),
    Outage("401", answering(faults.answer(401, "Unauthorized"))),
)
