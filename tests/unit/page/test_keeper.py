"""Something is kept only while somebody looks, and what is missed is read anew."""

import asyncio
from collections.abc import Awaitable, Callable

from builders import raw_execution
from workflowexecution.core.facts.execution import parse_execution
from workflowexecution.kube import errors
from workflowexecution.page.keeper import IDLE_S, RENEW_S, Keeper
from workflowexecution.page.recent import Recent


class Cluster:
    """What the lists show; `fails` is how often they do not."""

    def __init__(self, fails: int = 0) -> None:
        self.lists = 0
        self.fails = fails
        self.while_reading: Callable[[], None] = lambda: None

    async def fill(self, recent: Recent) -> None:
        self.lists += 1
        if self.fails:
            self.fails -= 1
            raise errors.UnavailableError("no answer")
        recent.take_in(parse_execution(raw_execution("listed")))
        await asyncio.sleep(0)
        self.while_reading()
        recent.is_complete = True


class Bench:
    """A keeper with a clock that the test sets."""

    def __init__(self, cluster: Cluster) -> None:
        self.now = 1000.0
        self.told = 0
        self.cluster = cluster
        fill: Callable[[Recent], Awaitable[None]] = cluster.fill
        self.keeper = Keeper(fill, self._tell, lambda: self.now)

    def _tell(self) -> None:
        self.told += 1

    async def look(self) -> set[str]:
        """Names that are shown once what was asked for has come."""
        self.keeper.look()
        await asyncio.sleep(0.01)
        recent = self.keeper.look()
        return {item.name for item in recent.executions(recent.namespaces())}


async def test_while_nobody_looks_nothing_is_read_or_kept() -> None:
    bench = Bench(Cluster())
    bench.keeper.heard_of_execution("ADDED", raw_execution())
    bench.keeper.heard_of_run()
    bench.keeper.missed()
    assert bench.keeper.is_empty
    assert (bench.cluster.lists, bench.told) == (0, 0)


async def test_who_looks_has_one_list_read_whoever_looks_with_them() -> None:
    bench = Bench(Cluster())
    assert await bench.look() == {"listed"}
    assert await bench.look() == {"listed"}
    assert bench.cluster.lists == 1


async def test_what_changes_while_the_list_is_read_is_not_lost() -> None:
    bench = Bench(Cluster())
    bench.cluster.while_reading = lambda: bench.keeper.heard_of_execution(
        "ADDED", raw_execution("meanwhile")
    )
    assert await bench.look() == {"listed", "meanwhile"}
    bench.keeper.heard_of_execution("DELETED", raw_execution("listed"))
    assert await bench.look() == {"meanwhile"}
    # Also while it is read for the second time, and something is shown already.
    bench.now += RENEW_S
    bench.cluster.while_reading = lambda: bench.keeper.heard_of_execution(
        "ADDED", raw_execution("later")
    )
    assert {"listed", "later"} <= await bench.look()
    assert bench.cluster.lists == 2


async def test_what_the_watches_missed_is_read_anew() -> None:
    bench = Bench(Cluster())
    await bench.look()
    bench.keeper.missed()
    await bench.look()
    assert bench.cluster.lists == 2


async def test_a_list_that_fails_is_tried_again_soon_and_not_at_once() -> None:
    bench = Bench(Cluster(fails=1))
    assert await bench.look() == set()
    assert await bench.look() == set()
    assert bench.cluster.lists == 1
    bench.now += 6
    assert await bench.look() == {"listed"}


async def test_it_forgets_once_nobody_has_looked_for_long() -> None:
    bench = Bench(Cluster())
    await bench.look()
    bench.now += IDLE_S - 1
    bench.keeper.forget_if_idle()
    assert not bench.keeper.is_empty
    bench.now += 1
    bench.keeper.forget_if_idle()
    assert bench.keeper.is_empty
    assert await bench.look() == {"listed"}


async def test_an_event_nobody_understands_is_let_pass() -> None:
    bench = Bench(Cluster())
    await bench.look()
    bench.keeper.heard_of_execution("ADDED", {"metadata": {}})
    assert await bench.look() == {"listed"}
