"""Many executions for one free target at the same instant: one runs, all others name it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.executions import name_of, phase_of, unique, unique_target
from harness.process import OperatorProcess
from harness.waiting import eventually
from harness.world import World
from localcluster.cluster import Object

MANY = 50
FEW = 5


def create_at_once(world: World, target: str, count: int) -> list[Object]:
    """Create executions for one target from many connections, in both namespaces."""
    prefix = unique("rush")

    def create(number: int) -> Object:
        return world.create(target, name=f"{prefix}-{number}", namespace=world.sources[number % 2])

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(create, range(count)))


def decided(world: World, items: list[Object], seconds: float = 30) -> list[Object]:
    """The executions once each is Running or Skipped."""
    uids = {item["metadata"]["uid"] for item in items}

    def check() -> list[Object]:
        found = [item for name in world.sources for item in world.executions.list(name)]
        ours = [item for item in found if item["metadata"]["uid"] in uids]
        open_ones = [name_of(one) for one in ours if phase_of(one) not in ("Running", "Skipped")]
        assert not open_ones, f"undecided: {open_ones}"
        return ours

    return eventually(check, seconds, dump=world.dump)


def assert_one_winner(world: World, target: str, items: list[Object]) -> None:
    """Exactly one run and one Running execution; every other names it."""
    (run,) = world.runs(target)
    (winner,) = (item for item in items if phase_of(item) == "Running")
    assert run["metadata"]["annotations"]["kubernaut.ai/workflow-execution"] == name_of(winner)
    for item in items:
        if item is winner:
            continue
        details = item["status"]["skipDetails"]
        assert details["reason"] == "ResourceBusy"
        assert details["conflictingWorkflow"] == {
            "name": name_of(winner),
            "namespace": winner["metadata"]["namespace"],
            "workflowId": "restart",
            "startedAt": run["metadata"]["creationTimestamp"],
            "targetResource": target,
            "remediationRequestRef": {
                "name": "request-1",
                "namespace": winner["metadata"]["namespace"],
            },
        }


def test_one_runs_and_all_others_name_it(world: World, target: str) -> None:
    before = world.proxy.mark()
    items = decided(world, create_at_once(world, target, MANY))

    assert len(items) == MANY
    assert_one_winner(world, target, items)
    asked = [one.kind for one in world.proxy.since(before)]
    assert asked.count("create pipelineruns") == 1
    assert asked.count("patch workflowexecutions/status") == MANY
    assert asked.count("patch workflowexecutions") == 0
    reads = [kind for kind in asked if kind.startswith(("get", "list"))]
    assert len(reads) <= FEW, f"evidence for {MANY - 1} skips is to be shared: {reads}"


def test_all_that_waited_for_the_operator_get_the_same_answer(world: World, target: str) -> None:
    world.operator.kill()
    waiting = create_at_once(world, target, MANY)
    world.operator.start()

    assert_one_winner(world, target, decided(world, waiting))


@pytest.fixture
def rival(world: World) -> Iterator[OperatorProcess]:
    """A second operator, active at the same time in the same namespaces."""
    other = world.new_operator(world.proxy.url)
    other.start()
    yield other
    other.stop()
    other.assert_clean_log()


def test_two_operators_at_once_make_one_run(world: World, rival: OperatorProcess) -> None:
    assert rival.is_running
    targets = [unique_target() for _ in range(6)]
    items = {target: create_at_once(world, target, 5) for target in targets}

    for target in targets:
        assert_one_winner(world, target, decided(world, items[target]))


def test_two_operators_bring_a_run_to_one_end(
    world: World, rival: OperatorProcess, target: str
) -> None:
    assert rival.is_running
    item, run = world.completed(target)
    assert world.ended(item, "Completed")["status"]["pipelineRunRef"]["name"] == name_of(run)
    again = world.ended(world.create(target), "Skipped")
    assert again["status"]["skipDetails"]["reason"] == "RecentlyRemediated"
    world.executions.delete(item)
    world.gone(item)
    assert len(world.runs(target)) == 1
