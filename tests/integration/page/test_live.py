"""The page is live, bounded and true, whichever operator answers."""

from collections.abc import Iterator

import pytest

from harness.executions import name_of, unique_target
from harness.page_scene import Scene
from harness.process import OperatorProcess
from harness.visits import Guest
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster

PAGE = ("--page=loopback", "--page-port=0")


def test_who_looks_is_told_of_a_change_at_once(scene: Scene) -> None:
    world, target = scene.world, unique_target()
    guest = scene.guest(world.source)
    guest.get("/")
    with guest.listen() as events:
        assert next(events) == "changed"
        item, _ = world.launched(target)
        assert next(events) == "changed"

        def check() -> None:
            assert f"{world.source}/{name_of(item)} Running" in guest.get("/").text

        eventually(check, 5, dump=world.dump)


def test_one_visitor_cannot_take_all_streams(scene: Scene) -> None:
    guest = scene.guest(scene.world.source)
    opened = [guest.listen() for _ in range(8)]
    try:
        for stream in opened:
            stream.__enter__()
        assert guest.get("/events").status == 503
        with scene.guest(scene.world.source).listen():
            pass
    finally:
        for stream in opened:
            stream.__exit__(None, None, None)


def test_whoever_goes_away_leaves_no_stream_behind(scene: Scene) -> None:
    """Also one that loads the page again and again: nothing happens meanwhile that is told."""
    guest = scene.guest(scene.world.source)
    for _ in range(30):
        with guest.listen():
            pass
    with guest.listen():
        pass


@pytest.fixture(scope="module")
def pair(bare_cluster: Cluster) -> Iterator[tuple[World, OperatorProcess, OperatorProcess]]:
    """A world, its leader, and a second operator that stands by; pages on loopback."""
    with open_world(bare_cluster, "--leader-election", *PAGE) as world:

        def leads() -> None:
            assert world.operator.metric("workflowexecution_leader") == 1

        eventually(leads, dump=world.dump)
        standby = world.new_operator(world.cluster.server)
        standby.start()
        yield world, world.operator, standby
        standby.stop()


def test_leader_and_standby_show_the_same_and_say_which_they_are(
    pair: tuple[World, OperatorProcess, OperatorProcess],
) -> None:
    world, leader, standby = pair
    target = unique_target()
    item, run = world.launched(target)
    world.tekton.begin(run)
    for operator in (leader, standby):
        _shows(world, operator, "locks", f"{target} {world.source}/{name_of(item)} restart")
    assert "stands by" not in Guest(leader.page_url).get("/").text
    told = Guest(standby.page_url).get("/").text
    assert "This operator stands by" in told
    assert "none leads" not in told
    # Only the leader finds out by itself that a run that has failed executes nothing any more.
    world.tekton.fail(run)
    world.ended(item, "Failed")
    for operator in (leader, standby):
        _shows(world, operator, "locks", "No target is held")
        _shows(world, operator, "cooldowns", f"{target} restart {world.source}/{name_of(item)}")


def _shows(world: World, operator: OperatorProcess, section: str, text: str) -> None:
    def check() -> None:
        assert text in Guest(operator.page_url).get("/").section(section)

    eventually(check, 10, dump=world.dump)


def test_on_loopback_no_other_name_leads_there(
    pair: tuple[World, OperatorProcess, OperatorProcess],
) -> None:
    url = pair[1].page_url
    assert Guest(url).get("/").status == 200
    for host in ("rebound.example", "127.0.0.1.example:80", ""):
        assert Guest(url, {"Host": host}).get("/").status == 421
