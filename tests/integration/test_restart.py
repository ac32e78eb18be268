"""The operator killed between every pair of writes, and replies lost: one run, the right end."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Literal

import pytest

from harness import faults
from harness.executions import name_of, phase_of, unique_target
from harness.faults import Fault
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object

When = Literal["before", "after"]

# Of a launch and its end; of a skip. Deleting either costs none.
WRITES_OF_A_LIFE = 5
WRITES_OF_A_SKIP = 2
RUSH = 20
STATUS = "patch workflowexecutions/status"
CREATE = "create pipelineruns"


@pytest.fixture(scope="module")
def world(bare_cluster: Cluster) -> Iterator[World]:
    """One world for all; every kill is also the start that the next test works with."""
    with open_world(bare_cluster) as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_faults_left(world: World) -> Iterator[None]:
    """Take away what a test has injected; each fault must have struck."""
    yield
    for fault in world.proxy.faults:
        assert fault.struck == fault.times
    world.proxy.faults.clear()


def live(world: World, target: str) -> Object:
    """A whole life: launched, run to a good end, deleted; right at every stage."""
    item, run = world.launched(target)
    run = world.tekton.begin(run)
    world.tekton.succeed(run)
    ended = world.ended(item, "Completed")
    named = {"name": name_of(run), "namespace": world.execution_namespace}
    assert ended["status"]["pipelineRunRef"] == named
    assert ended["status"]["pipelineRunStatus"]["reason"] == "Succeeded"
    world.executions.delete(item)
    world.gone(item)
    return item


def writes_since(world: World, mark: int, expected: int) -> None:
    """Wait until so many writes have been asked for."""

    def check() -> None:
        assert sum(one.is_write for one in world.proxy.since(mark)) >= expected

    eventually(check, dump=world.dump)


def kill_and_start(world: World) -> Callable[[], None]:
    """Do what a lost node and its replacement do, from within the proxy."""

    def act() -> None:
        world.operator.kill()
        world.operator.start(wait=False)

    return act


def assert_one_run(world: World, target: str, mark: int) -> None:
    """One run exists and one create was carried out after any number of tries."""
    assert len(world.runs(target)) == 1
    made = [one for one in world.proxy.since(mark) if one.kind == CREATE and one.status == 201]
    assert len(made) <= 1


def test_a_life_and_a_skip_have_as_many_writes_as_are_tried(world: World, target: str) -> None:
    before = world.proxy.mark()
    live(world, target)
    writes_since(world, before, WRITES_OF_A_LIFE)
    skipped = world.ended(world.create(target), "Skipped")
    writes_since(world, before, WRITES_OF_A_LIFE + WRITES_OF_A_SKIP)
    world.executions.delete(skipped)
    world.gone(skipped)

    writes = Counter(one.kind for one in world.proxy.since(before) if one.is_write)
    assert writes.total() == WRITES_OF_A_LIFE + WRITES_OF_A_SKIP


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(WRITES_OF_A_LIFE))
def test_killed_at_a_write_of_a_life(world: World, target: str, number: int, when: When) -> None:
    """Before the write has reached the server, or after it was carried out, reply lost."""
    before = world.proxy.mark()
    act = faults.call(kill_and_start(world))
    world.proxy.inject(Fault(matches=faults.is_write, when=when, act=act, skip=number))
    live(world, target)
    writes_since(world, before, number + 1)

    assert_one_run(world, target, before)


def has_told(world: World, item: Object) -> None:
    """Wait for the Event of a launch, so that it is not counted as a later write."""

    def check() -> None:
        assert len(world.events_of(item)) == 1

    eventually(check, dump=world.dump)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(WRITES_OF_A_SKIP))
def test_killed_at_a_write_of_a_skip(world: World, target: str, number: int, when: When) -> None:
    holder, _ = world.launched(target)
    has_told(world, holder)
    before = world.proxy.mark()
    act = faults.call(kill_and_start(world))
    world.proxy.inject(Fault(matches=faults.is_write, when=when, act=act, skip=number))
    skipped = world.ended(world.create(target), "Skipped")
    writes_since(world, before, number + 1)

    conflict = skipped["status"]["skipDetails"]["conflictingWorkflow"]
    assert conflict["name"] == name_of(holder)
    assert_one_run(world, target, before)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_the_write_that_cancels(world: World, target: str, when: When) -> None:
    before = world.proxy.mark()
    item, run = world.launched(target)
    run = world.tekton.begin(run)
    act = faults.call(kill_and_start(world))
    cancel = faults.kind("patch pipelineruns")
    world.proxy.inject(Fault(matches=cancel, when=when, act=act))
    world.executions.delete(item)

    def cancelled() -> None:
        assert (world.run_now(run) or {})["spec"].get("status") == "Cancelled"

    eventually(cancelled, dump=world.dump)
    world.tekton.obey_cancel(run)
    world.tekton.stop_tasks(run)
    world.gone(item)
    assert_one_run(world, target, before)


@pytest.mark.parametrize("kind", [CREATE, STATUS, "create events"])
def test_a_reply_lost_after_the_write_was_carried_out(world: World, target: str, kind: str) -> None:
    before = world.proxy.mark()
    matches = faults.kind(kind)
    world.proxy.inject(Fault(matches=matches, when="after", act=faults.drop))
    live(world, target)
    assert_one_run(world, target, before)


def test_a_cancellation_is_told_of_where_its_reply_was_lost(world: World, target: str) -> None:
    item, run = world.launched(target)
    has_told(world, item)
    cancel = faults.kind("patch pipelineruns")
    world.proxy.inject(Fault(matches=cancel, when="after", act=faults.drop))
    world.executions.delete(item)

    def told() -> None:
        reasons = {event["reason"] for event in world.events_of(item)}
        assert "WorkflowExecutionDeleted" in reasons

    eventually(told, dump=world.dump)
    world.tekton.obey_cancel(run)


@pytest.mark.parametrize(
    ("status", "reason", "retry_after"),
    [
        (500, "InternalError", None),
        (503, "ServiceUnavailable", None),
        (504, "Timeout", None),
        (429, "TooManyRequests", 1),
    ],
)
def test_a_server_in_trouble_is_asked_again(
    world: World, target: str, status: int, reason: str, retry_after: int | None
) -> None:
    before = world.proxy.mark()
    act = faults.answer(status, reason, retry_after)
    world.proxy.inject(Fault(matches=faults.is_write, when="before", act=act, times=6))
    live(world, target)
    assert_one_run(world, target, before)


def test_a_conflict_is_read_and_decided_anew(world: World, target: str) -> None:
    before = world.proxy.mark()
    act = faults.answer(409, "Conflict")
    world.proxy.inject(Fault(matches=faults.kind(STATUS), when="before", act=act, times=3))
    live(world, target)
    assert_one_run(world, target, before)


def test_an_execution_changed_by_others_meanwhile_is_no_trouble(world: World, target: str) -> None:
    """A real conflict: the label comes between our having seen the execution and our write."""
    item = world.create(target)

    async def touch(_: object) -> None:
        world.executions.patch(item, {"metadata": {"labels": {"touched": "yes"}}})

    world.proxy.inject(Fault(matches=faults.kind(STATUS), when="before", act=touch))
    touched = world.in_phase(item, "Running")
    assert touched["metadata"]["labels"] == {"touched": "yes"}


def test_nothing_is_skipped_while_the_evidence_cannot_be_read(world: World) -> None:
    """A busy target is confirmed by a live read; until there is an answer, nothing is final."""
    target = unique_target()
    holder, run = world.launched(target)
    world.operator.kill()
    world.operator.start()
    act = faults.answer(503, "ServiceUnavailable")
    read = Fault(matches=faults.kind("get pipelineruns"), when="before", act=act, times=2)
    world.proxy.inject(read)
    waiting = world.in_phase(world.create(target, workflow="other"), "Pending")
    (said,) = (one for one in waiting["status"]["conditions"] if one["type"] == "Succeeded")
    assert said["status"] == "Unknown"
    assert "injected 503" in said["message"]

    skipped = world.ended(waiting, "Skipped")
    conflict = skipped["status"]["skipDetails"]["conflictingWorkflow"]
    assert conflict["name"] == name_of(holder)
    assert len(world.runs(target)) == 1
    assert run["metadata"]["name"] in skipped["status"]["skipDetails"]["message"]


def test_killed_in_the_middle_of_a_rush(world: World, target: str) -> None:
    """Many executions want one target, and the operator is lost while it answers them."""
    act = faults.call(kill_and_start(world))
    world.proxy.inject(Fault(matches=faults.is_write, when="after", act=act, skip=RUSH // 2))
    items = [world.create(target, workflow=f"workflow-{each}") for each in range(RUSH)]

    def decided() -> list[str]:
        phases = [phase_of(world.read(item)) for item in items]
        assert set(phases) == {"Running", "Skipped"}
        return phases

    assert eventually(decided, 30, dump=world.dump).count("Running") == 1
    assert len(world.runs(target)) == 1
    # All may be decided by what was on its way when the operator was killed.
    world.operator.until_ready()
