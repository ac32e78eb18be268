"""The number of requests of one execution is exact; without a change there are none."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from harness.executions import name_of
from harness.waiting import eventually, holds_for
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object

STATUS = "patch workflowexecutions/status"
CREATE = "create pipelineruns"
EVENT = "create events"
READ_RUN = "get pipelineruns"
READ_EXECUTION = "get workflowexecutions"
CANCEL = "patch pipelineruns"
READ_TASKS = "list taskruns"
READ_PODS = "list pods"
RESYNCED = 'workflowexecution_resyncs_total{result="done"}'
REMEMBERED = 'workflowexecution_remembered{{kind="{}"}}'
# Long enough for a poll, a heartbeat or progress written at intervals to show itself.
QUIET_S = 6.0


@pytest.fixture
def costs(world: World) -> Callable[[dict[str, int]], None]:
    """Check what was asked since the test began: just this, and nothing more comes after it."""
    before = world.proxy.mark()

    def check(expected: dict[str, int]) -> None:
        def exactly() -> None:
            asked = Counter(one.kind for one in world.proxy.since(before))
            assert asked == expected, f"{dict(asked)} instead of {expected}"

        eventually(exactly, 5)
        holds_for(exactly, 0.3)

    return check


@pytest.fixture(autouse=True)
def no_refusals_and_no_empty_writes(world: World) -> Iterator[None]:
    """In every test, no request of the operator is refused, and each write changes something."""
    before = world.proxy.mark()
    yield
    asked = world.proxy.since(before)
    refused = [(one.kind, one.status) for one in asked if one.status >= 400]
    # That an execution is gone can only be learnt by asking for it.
    assert set(refused) <= {(READ_EXECUTION, 404)}


Costs = Callable[[dict[str, int]], None]
A_SUCCESS = {CREATE: 1, STATUS: 2, EVENT: 2}


def test_a_launch(world: World, target: str, costs: Costs) -> None:
    world.launched(target)
    costs({CREATE: 1, STATUS: 1, EVENT: 1})


def test_a_success(world: World, target: str, costs: Costs) -> None:
    _, run = world.launched(target)
    world.tekton.succeed(run)
    costs(A_SUCCESS)


def test_a_parameter_that_is_not_declared_costs_its_event(
    world: World, target: str, costs: Costs
) -> None:
    item, run = world.launched(target, parameters={"REPLICA": "3"})
    world.tekton.begin(run, declares=("REPLICAS",))
    world.tekton.succeed(run)
    world.ended(item, "Completed")
    costs(A_SUCCESS | {EVENT: 3})


def test_a_failure_reads_what_is_left_of_its_run_once(
    world: World, target: str, costs: Costs
) -> None:
    item, run = world.launched(target)
    world.tekton.fail(run)
    world.ended(item, "Failed")
    costs(A_SUCCESS | {READ_TASKS: 1, READ_PODS: 1})


def test_progress_is_written_at_once_and_then_rarely(
    world: World, target: str, costs: Costs
) -> None:
    """An execution's status is written every few seconds, also if its run's changes more often."""
    item, run = world.launched(target)
    world.tekton.accept(run)
    world.tekton.begin(run)
    for _ in range(5):
        world.tekton.advance(run)
    world.tekton.succeed(run)
    world.ended(item, "Completed")
    costs(A_SUCCESS)


def test_a_skip_because_the_target_is_busy(world: World, target: str, costs: Costs) -> None:
    world.launched(target)
    costs({CREATE: 1, STATUS: 1, EVENT: 1})
    before = Counter(one.kind for one in world.proxy.since())[READ_RUN]
    world.ended(world.create(target), "Skipped")
    # The holder is read, unless the reply to its own creation is less than a second old.
    read = Counter(one.kind for one in world.proxy.since())[READ_RUN] - before
    assert read in (0, 1)
    costs({CREATE: 1, STATUS: 2, EVENT: 2} | ({READ_RUN: 1} if read else {}))


def test_a_skip_because_of_the_cooldown(world: World, target: str, costs: Costs) -> None:
    world.completed(target)
    world.ended(world.create(target), "Skipped")
    costs({CREATE: 1, STATUS: 3, EVENT: 3})


def test_a_refusal(world: World, target: str, costs: Costs) -> None:
    reference = {
        "workflowId": "restart",
        "version": "v1",
        "containerImage": f"registry.example/restart@sha256:{'a' * 64}",
        "containerDigest": f"sha256:{'b' * 64}",
    }
    world.ended(world.create(target, workflowRef=reference), "Failed")
    costs({STATUS: 1, EVENT: 1})


def test_the_deletion_of_one_that_runs(world: World, target: str, costs: Costs) -> None:
    item, run = world.launched(target)
    world.executions.delete(item)
    cost = {CREATE: 1, STATUS: 1, EVENT: 2, READ_EXECUTION: 1, CANCEL: 1}
    costs(cost)
    world.tekton.obey_cancel(run)
    # No status of it tells when the target is free, so an Event does.
    costs(cost | {EVENT: 3, READ_TASKS: 1, READ_PODS: 1})
    eventually(lambda: told_of_release(world, item, run))


def told_of_release(world: World, item: Object, run: Object) -> None:
    """An Event on an execution says that its run no longer holds the target."""
    (event,) = [one for one in world.events_of(item) if one["reason"] == "LockReleased"]
    assert (event["type"], event["related"]["name"]) == ("Normal", name_of(run))
    assert event["note"].endswith(f"executes: {item['spec']['targetResource']} is free")


def test_the_deletion_of_a_finished_execution(world: World, target: str, costs: Costs) -> None:
    item, _ = world.completed(target)
    world.executions.delete(item)
    world.gone(item)
    costs(A_SUCCESS)


def test_the_deletion_of_a_skipped_execution(world: World, target: str, costs: Costs) -> None:
    world.completed(target)
    skipped = world.ended(world.create(target), "Skipped")
    world.executions.delete(skipped)
    world.gone(skipped)
    costs(A_SUCCESS | {STATUS: 3, EVENT: 3})


def test_changes_by_others_cost_nothing(world: World, target: str, costs: Costs) -> None:
    item, _ = world.completed(target)
    running, _ = world.launched(f"{target}-2")
    launched_both = A_SUCCESS | {CREATE: 2, STATUS: 3, EVENT: 3}
    costs(launched_both)
    for one in (item, running):
        world.executions.patch(one, {"metadata": {"labels": {"touched": "yes"}}})
    costs(launched_both)


def test_a_launch_where_only_a_past_is_left_asks_for_no_name_that_is_taken(
    bare_cluster: Cluster, target: str
) -> None:
    """Of a target that nothing else is known of any more, the highest number stays known."""
    with open_world(bare_cluster, "--cooldown=1s", "--resync-interval=1s") as world:
        item, first = world.completed(target)
        # The run alone tells that its name is taken.
        world.executions.delete(item)
        resynced = world.operator.metric(RESYNCED)

        def check() -> None:
            assert world.operator.metric(REMEMBERED.format("target")) == 0
            assert world.operator.metric(RESYNCED) >= resynced + 3

        eventually(check, dump=world.dump)
        assert world.operator.metric(REMEMBERED.format("slot")) == 1
        before = world.proxy.mark()
        _, second = world.launched(target)
        asked = world.proxy.since(before)
        assert [one.status for one in asked if one.kind == CREATE] == [201]
        assert (name_of(first)[-2:], name_of(second)[-2:]) == ("-1", "-2")


def test_nothing_is_asked_while_nothing_changes(bare_cluster: Cluster, target: str) -> None:
    with open_world(bare_cluster) as world:
        world.completed(target)
        world.ended(world.create(target), "Skipped")
        running, _ = world.launched(f"{target}-2")
        settled(world)
        world.executions.patch(running, {"metadata": {"labels": {"touched": "yes"}}})
        before, watches = world.proxy.mark(), len(world.proxy.watches())

        def quiet() -> None:
            assert [one.kind for one in world.proxy.since(before)] == []
            assert len(world.proxy.watches()) == watches

        holds_for(quiet, QUIET_S)


def test_a_restart_writes_nothing(bare_cluster: Cluster, target: str) -> None:
    with open_world(bare_cluster) as world:
        world.completed(target)
        world.ended(world.create(target), "Skipped")
        running, _ = world.launched(f"{target}-2")
        settled(world)
        world.operator.kill()
        before = world.proxy.mark()
        world.operator.start()
        world.completed(f"{target}-3")

        touched = [one for one in world.proxy.since(before) if one.is_write]
        assert Counter(one.kind for one in touched) >= Counter({CREATE: 1})
        assert name_of(running) not in {one.about for one in touched}


def settled(world: World) -> None:
    """Wait until every Event under way has been recorded."""

    def check() -> None:
        counted = Counter(one.kind for one in world.proxy.since())
        assert counted[EVENT] == 4

    eventually(check)


def test_every_event_is_told_once_with_the_run_it_is_about(world: World, target: str) -> None:
    item, run = world.completed(target)

    def told() -> list[Object]:
        events = world.events_of(item)
        assert len(events) == 2
        return events

    events = {event["reason"]: event for event in eventually(told)}
    assert events.keys() == {"PipelineRunCreated", "WorkflowCompleted"}
    for reason in ("PipelineRunCreated", "WorkflowCompleted"):
        assert events[reason]["type"] == "Normal"
        assert events[reason]["related"]["name"] == name_of(run)
        assert events[reason]["related"]["namespace"] == world.execution_namespace
