"""Decisions of an operator that does not see what has happened: late, but never wrong."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from harness import faults
from harness.exchange import Exchange
from harness.executions import name_of, phase_of, unique_target
from harness.faults import Fault
from harness.proxy import Proxy
from harness.waiting import eventually, holds_for
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object
from workflowexecution.core.names import run_name

ACTIVE = "workflowexecution_active"
RUNS, EXECUTIONS = "pipelineruns", "workflowexecutions"
# A watch that the server ends at once is begun anew no more often than this; there are three.
RATE_PER_S = 2


@pytest.fixture
def world(bare_cluster: Cluster) -> Iterator[World]:
    with open_world(bare_cluster, "--resync-interval=2s", trouble=True) as opened:
        yield opened
        opened.proxy.withheld.clear()
        opened.proxy.faults.clear()


def test_a_run_that_was_not_seen_is_found_by_its_number(bare_cluster: Cluster, target: str) -> None:
    """Its name is taken: that decides, whatever the operator has seen until then."""
    with open_world(bare_cluster) as world:
        informed = world.new_operator(world.cluster.server)
        world.proxy.withheld |= {RUNS, EXECUTIONS}
        informed.start()
        holder, run = world.launched(target)
        informed.stop()
        second = world.create(target, workflow="other")
        world.proxy.withheld.discard(EXECUTIONS)

        details = world.ended(second, "Skipped")["status"]["skipDetails"]
        assert details["reason"] == "ResourceBusy"
        assert details["conflictingWorkflow"]["name"] == name_of(holder)
        assert [name_of(one) for one in world.runs(target)] == [name_of(run)]
        world.proxy.withheld.clear()


def test_a_run_that_ended_before_its_execution_was_seen_is_its_run_all_the_same(
    bare_cluster: Cluster, target: str
) -> None:
    """The operator that made the run died before it wrote so; the next one sees the run first."""
    with open_world(bare_cluster, "--cooldown=0s") as world, closing(Proxy(bare_cluster)) as proxy:
        world.proxy.withheld |= {RUNS, EXECUTIONS}
        first = world.new_operator(proxy.url)
        kill = faults.call(first.kill)
        proxy.inject(Fault(matches=faults.kind("create pipelineruns"), when="after", act=kill))
        first.start()
        item = world.create(target)
        run = world.tekton.begin(world.run_of(item))
        world.tekton.succeed(run)
        world.proxy.withheld.discard(RUNS)
        until_told_of_all_runs(world)
        world.proxy.withheld.clear()

        world.ended(item, "Completed")
        assert [name_of(one) for one in world.runs_of(item)] == [name_of(run)]


def until_told_of_all_runs(world: World) -> None:
    """Wait until the operator has seen two runs that are made now, and so the one before them."""
    for _ in range(2):
        meta = {"name": run_name(unique_target(), 1), "namespace": world.execution_namespace}
        spec = {"pipelineRef": {"name": "any"}}
        run = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": meta, "spec": spec}
        world.tekton.runs.create(run)

    def seen() -> None:
        assert world.operator.metric(ACTIVE) == 2

    eventually(seen)


def test_a_run_whose_end_was_not_seen_blocks_nobody(bare_cluster: Cluster, target: str) -> None:
    """The run that seems to hold the target is read before anything final is written."""
    with open_world(bare_cluster) as world:
        first, run = world.launched(target)
        holds_for(lambda: world.read(first), 1.1)
        world.proxy.withheld.add(RUNS)
        world.tekton.begin(run)
        world.tekton.succeed(run)

        same = world.ended(world.create(target), "Skipped")
        assert same["status"]["skipDetails"]["reason"] == "RecentlyRemediated"
        world.launched(target, workflow="other")
        world.proxy.withheld.clear()
        world.ended(first, "Completed")


def test_a_deletion_that_no_watch_told_of_is_found_by_listing(world: World, target: str) -> None:
    item, run = world.launched(target)
    world.proxy.withheld.add(RUNS)
    world.tekton.runs.delete(run)

    details = world.ended(item, "Failed")["status"]["failureDetails"]
    assert "was deleted by somebody else" in details["message"]
    repaired = 'workflowexecution_resync_repairs_total{kind="run"}'
    assert world.operator.metric(repaired) == 1


def test_an_execution_that_no_watch_told_of_is_found_by_listing(world: World, target: str) -> None:
    world.proxy.withheld.add(EXECUTIONS)
    world.in_phase(world.create(target), "Running")


def test_a_list_that_lags_behind_gives_up_no_run(world: World, target: str) -> None:
    """A run that a watch or our own write has shown is read where a list does not show it."""
    lags = Fault(matches=faults.is_list, when="after", act=faults.Replay(), times=10**6)
    world.proxy.inject(lags)

    def has_listed(times: int) -> None:
        lists = [one for one in world.proxy.since(before) if one.kind == f"list {RUNS}"]
        assert len(lists) >= times

    before = world.proxy.mark()
    eventually(lambda: has_listed(1), dump=world.dump)
    item, run = world.launched(target)
    before = world.proxy.mark()
    eventually(lambda: has_listed(2), dump=world.dump)
    assert phase_of(world.read(item)) == "Running"
    world.tekton.begin(run)
    world.tekton.succeed(run)
    world.ended(item, "Completed")


@pytest.mark.parametrize("status", [429, 500])
def test_a_watch_that_is_refused_is_begun_again(
    bare_cluster: Cluster, target: str, status: int
) -> None:
    """The streams are cut, and their successors refused for a while."""
    with open_world(bare_cluster, trouble=True) as world:
        item, run = world.launched(target)
        act = faults.answer(status, retry_after=1)
        refusal = Fault(matches=is_watch, when="before", act=act, times=4)
        world.proxy.inject(refusal)
        world.proxy.cut_watches()
        world.tekton.begin(run)
        world.tekton.succeed(run)

        world.ended(item, "Completed", 30)
        assert refusal.struck == refusal.times
        assert world.operator.ask("/healthz") == (200, "ok")


@pytest.mark.parametrize("status", [403, 503])
def test_while_a_watch_is_refused_it_is_not_ready(
    bare_cluster: Cluster, target: str, status: int
) -> None:
    with open_world(bare_cluster, trouble=True) as world:
        act = faults.answer(status, "Forbidden" if status == 403 else "ServiceUnavailable")
        world.proxy.inject(Fault(matches=is_watch_of_runs, when="before", act=act, times=10**6))
        world.proxy.cut_watches()

        def not_ready() -> None:
            status_code, said = world.operator.ask("/readyz")
            assert status_code == 503
            assert said.startswith("the watch of pipelineruns is refused: ")
            assert f" {status} " in said

        eventually(not_ready, 10, dump=world.dump)
        assert world.operator.ask("/healthz") == (200, "ok")
        world.proxy.faults.clear()
        eventually(lambda: _assert_ready(world), 30, dump=world.dump)
        world.launched(target)


def _assert_ready(world: World) -> None:
    assert world.operator.ask("/readyz") == (200, "ok")


def test_a_watch_that_has_lost_its_place_begins_anew(world: World, target: str) -> None:
    """A list finds all changes since then, also a deletion, which no list shows."""
    item, run = world.launched(target)
    lost, _ = world.launched(f"{target}-2")
    act = faults.answer(410, "Expired")
    expired = Fault(matches=faults.is_watch, when="before", act=act, times=6)
    world.proxy.inject(expired)
    world.proxy.cut_watches()
    world.tekton.begin(run)
    world.tekton.succeed(run)
    world.executions.delete(lost)
    world.ended(item, "Completed")
    eventually(lambda: _assert_cancelled(world, lost), dump=world.dump)
    eventually(lambda: _assert_struck(expired))
    assert world.operator.is_running


def test_nothing_is_decided_on_what_may_have_been_missed(world: World, target: str) -> None:
    """Until everything has been listed anew: somebody may have begun to work on the target."""
    lists = Fault(
        matches=lambda one: one.kind == f"list {RUNS}" and one.limit > 1,
        when="before",
        act=faults.answer(503),
        times=10**6,
    )
    expired = Fault(
        matches=is_watch_of_runs, when="before", act=faults.answer(410, "Expired"), times=1
    )
    begun = len(watches_of_runs(world))
    world.proxy.inject(lists)
    world.proxy.inject(expired)
    world.proxy.cut_watches()

    def has_begun_anew() -> None:
        assert len(watches_of_runs(world)) >= begun + 2

    eventually(has_begun_anew)
    before = lists.struck

    def has_tried() -> None:
        assert lists.struck > before

    eventually(has_tried, 40)
    item = world.create(target)
    holds_for(lambda: _assert_undecided(world, item), 2)
    world.proxy.faults.clear()
    world.in_phase(item, "Running", 30)


def _assert_undecided(world: World, item: Object) -> None:
    assert (phase_of(world.read(item)), world.runs_of(item)) == ("", [])


def test_a_watch_that_is_refused_in_one_namespace_is_begun_again(world: World, target: str) -> None:
    """None of several watches dies unseen."""

    def is_of_one_namespace(exchange: Exchange) -> bool:
        return faults.is_watch(exchange) and exchange.namespace == world.sources[0]

    refusal = Fault(matches=is_of_one_namespace, when="before", act=faults.answer(404), times=2)
    world.proxy.inject(refusal)
    world.proxy.cut_watches()
    eventually(lambda: _assert_struck(refusal))
    for namespace in world.sources:
        world.launched(f"{target}-{namespace}", namespace=namespace)


def _assert_cancelled(world: World, item: Object) -> None:
    (run,) = world.runs_of(item)
    assert run["spec"].get("status") == "Cancelled"


def _assert_struck(fault: Fault) -> None:
    assert fault.struck == fault.times


def test_streams_that_end_at_once_are_not_asked_for_without_pause(
    world: World, target: str
) -> None:
    act = faults.end_stream
    world.proxy.inject(Fault(matches=is_watch, when="before", act=act, times=10**6))
    world.proxy.cut_watches()
    before = len(world.proxy.watches())
    holds_for(lambda: None, 3)
    assert len(world.proxy.watches()) - before <= RATE_PER_S * 3 * 3
    world.proxy.faults.clear()
    world.launched(target)


def test_it_stops_well_while_events_are_on_their_way(world: World, target: str) -> None:
    """A stop may meet a watch in the midst of handing events over."""
    for _ in range(5):
        made = [world.create(target) for _ in range(10)]
        world.operator.terminate()
        assert world.operator.wait() == 0
        world.operator.start()
    eventually(lambda: _assert_decided(world, made[-1]), dump=world.dump)


def _assert_decided(world: World, item: Object) -> None:
    assert phase_of(world.read(item))


def is_watch(exchange: Exchange) -> bool:
    return exchange.verb == "watch"


def watches_of_runs(world: World) -> list[Exchange]:
    return [one for one in world.proxy.watches() if one.resource == RUNS]


def is_watch_of_runs(exchange: Exchange) -> bool:
    return is_watch(exchange) and exchange.resource == RUNS
