"""The newest executions are kept within bounds, and no namespace pushes out another."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from builders import NOW, make_execution, raw_execution, raw_spec
from workflowexecution.api.reading import format_time
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.kube import errors
from workflowexecution.page.recent import IDLE_S, MOST, PER_NAMESPACE, RENEW_S, Keeper, Recent, slim
from workflowexecution.views.executions import Wanted, rows_of


def execution(number: int, namespace: str = "team-a", version: int = 1) -> Execution:
    """The n-th that was created, a minute after the one before."""
    raw = raw_execution(f"x-{number}", namespace=namespace, version=version)
    raw["metadata"]["uid"] = f"{namespace}-{number}"
    raw["metadata"]["creationTimestamp"] = format_time(NOW + timedelta(minutes=number))
    return parse_execution(raw)


def test_a_namespace_keeps_its_newest() -> None:
    recent = Recent()
    for number in range(500):
        recent.take_in(execution(number))
    kept = {item.name for item in recent.executions(["team-a"])}
    assert {f"x-{number}" for number in range(500 - PER_NAMESPACE, 500)} <= kept
    assert len(kept) <= PER_NAMESPACE * 1.25
    assert recent.has_older(["team-a"])
    assert not recent.has_older(["team-b"])


def test_a_busy_crowd_does_not_push_out_a_quiet_namespace() -> None:
    recent = Recent()
    recent.take_in(execution(0, "quiet"))
    for number in range(60):
        for team in range(50):
            recent.take_in(execution(number, f"busy-{team}"))
    assert len(recent) <= MOST * 1.25
    assert [item.name for item in recent.executions(["quiet"])] == ["x-0"]
    assert all(recent.executions([f"busy-{team}"]) for team in range(50))


def test_more_namespaces_than_places_keep_the_ones_in_which_something_happens() -> None:
    recent = Recent()
    for number in range(2000):
        recent.take_in(execution(number, f"team-{number}"))
    assert MOST <= len(recent) <= MOST * 1.25
    assert recent.executions(["team-1999"])
    assert not recent.executions(["team-0"])


def test_an_older_version_does_not_replace_a_newer_one() -> None:
    recent = Recent()
    recent.take_in(execution(1, version=7))
    recent.take_in(execution(1, version=6))
    assert [item.resource_version for item in recent.executions(["team-a"])] == ["7"]
    assert len(recent) == 1


def test_a_list_that_was_begun_before_does_not_bring_back_what_is_deleted() -> None:
    recent = Recent()
    gone = execution(1)
    recent.drop(gone.namespace, gone.uid)
    recent.take_in(gone)
    assert len(recent) == 0
    assert recent.namespaces() == set()


def test_what_is_kept_is_what_a_list_shows_and_no_more() -> None:
    raw = raw_execution(
        spec={**raw_spec(), "parameters": {"SECRET": "hunter2"}, "rationale": "r" * 9999},
        status={
            "phase": "Skipped",
            "conditions": [{"type": "Succeeded", "reason": "ResourceBusy", "message": "m" * 9999}],
            "skipDetails": {
                "message": "m" * 9999,
                "conflictingWorkflow": {"namespace": "team-b", "name": "other"},
            },
        },
    )
    whole = parse_execution(raw)
    small = slim(whole)
    (before,) = rows_of([whole], Wanted(), NOW)
    (after,) = rows_of([small], Wanted(), NOW)
    assert (after.reason, after.blocker, after.age) == (before.reason, before.blocker, before.age)
    assert after.blocker == "team-b/other"
    assert len(repr(small)) < 1500
    assert "hunter2" not in repr(small)


def test_one_that_has_no_status_yet_is_kept() -> None:
    recent = Recent()
    recent.take_in(make_execution())
    assert len(recent) == 1


class Cluster:
    """Lists of a cluster; `fails` is the number of lists that fail."""

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
