"""Lists and watches tell too little, too much, too late or nothing: all ends are right."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import pytest

from faults.load import Load
from faults.outages import ALWAYS, RESOURCES
from faults.rig import rigged
from harness import faults, streams
from harness.faults import Fault, Matches
from harness.proxy import Proxy
from harness.streams import Rewrite, StreamFault
from harness.waiting import holds_for
from harness.world import open_world
from localcluster import Cluster
from reliability import is_long
from reliability.tally import Tally

SCENARIO = "views"
LASTS_S = 30.0 if is_long() else 3.0
PER_S = 2.0
DRAINED_WITHIN_S = 60.0
SHORT = ("every-other", "lagging-lists")
FLAGS = ("--resync-interval=2s", "--cooldown=1h")
# Three watches, each begun anew at most once a second, and a full list every other second.
REQUESTS_PER_S = 30


@dataclass(frozen=True, slots=True)
class View:
    """A fault of lists or watches; the process may have to be started again so often."""

    name: str
    begin: Callable[[Proxy], object]
    restarts: int = 0


def changed(rewrite: Rewrite, times: int = ALWAYS) -> Callable[[Proxy], object]:
    """Change what watches tell."""
    fault = StreamFault(matches=faults.anything, rewrite=rewrite, times=times)
    return lambda proxy: proxy.change_streams(fault)


def listed(matches: Matches, act: faults.Act, times: int) -> Callable[[Proxy], object]:
    """Change what lists answer; they come in pages of two, and watches end now and then."""

    def begin(proxy: Proxy) -> None:
        proxy.page = 2
        proxy.inject(Fault(matches=matches, when="after", act=act, times=times))
        proxy.change_streams(StreamFault(matches=faults.anything, rewrite=streams.cut_short))

    return begin


def closed_at_once(proxy: Proxy) -> None:
    act = faults.end_stream
    proxy.inject(Fault(matches=faults.is_watch, when="before", act=act, times=ALWAYS))
    proxy.cut_watches()


EXPIRED = faults.answer(410, "Expired")
VIEWS = (
    View("twice", changed(streams.twice)),
    View("every-other", changed(streams.every_other)),
    View("backwards", changed(streams.backwards(1.0))),
    View("cut-short", changed(streams.cut_short)),
    View("half-a-line", changed(streams.half_a_line, times=1), restarts=1),
    View("closed-at-once", closed_at_once),
    View("silent", lambda proxy: proxy.withheld.update(RESOURCES)),
    View("error-410", changed(streams.error(410, "Expired", after=2))),
    View("error-500", changed(streams.error(500, "InternalError"), times=1), restarts=1),
    View("lagging-lists", listed(faults.is_list, faults.Replay(), ALWAYS)),
    View("halved-lists", listed(faults.is_list, faults.halve, 20)),
    View("expired-pages", listed(faults.is_continued, EXPIRED, 6), restarts=1),
)


CHOSEN = [view for view in VIEWS if is_long() or view.name in SHORT]


@pytest.mark.parametrize("view", CHOSEN, ids=lambda view: view.name)
def test_a_view(bare_cluster: Cluster, view: View, tally: Tally) -> None:
    with (
        open_world(bare_cluster, *FLAGS, trouble=True) as world,
        rigged(world, [world.operator]) as rig,
        closing(Load(world, PER_S)) as load,
    ):
        holds_for(lambda: None, 2)
        before = world.proxy.mark()
        view.begin(world.proxy)
        holds_for(lambda: None, LASTS_S)
        asked = world.proxy.mark() - before
        world.proxy.page = None
        world.proxy.heal()
        load.close()
        recovery_s = rig.drained(load, DRAINED_WITHIN_S)
        rig.judge(tally, recovery_s=recovery_s)
        assert rig.restarts <= view.restarts
        assert asked <= REQUESTS_PER_S * LASTS_S
