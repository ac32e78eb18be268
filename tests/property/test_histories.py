"""Histories that once went wrong, told step by step."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest
import structlog

from model_operators import Operator, settle_down
from model_server import EXECUTIONS, RUNS, STEP, Server
from workflowexecution.core import names

TARGET = "Node/worker-1"
RUN = names.slot_name(TARGET, 1)


@pytest.fixture(autouse=True)
def _quiet_logs() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    yield
    structlog.reset_defaults()


async def started(server: Server) -> Operator:
    one = Operator(server)
    await one.resync()
    return one


async def work(one: Operator, passes: int = 6, *, told: Iterable[str] = (EXECUTIONS, RUNS)) -> None:
    """Tell an operator everything of these kinds, and answer what it asks."""
    for _ in range(passes):
        one.server.now += STEP
        for kind in told:
            one.deliver(kind, len(one.server.history[kind]))
        for uid in one.wake():
            one.start_pass(uid)
        await settle_down()
        while one.pending:
            one.pending[0].return_home()
            await settle_down()


def stop_everything(server: Server) -> None:
    """Nothing executes any more of what has ended or is gone."""
    server.stop_tasks()
    server.stop_pods()


def phases(server: Server) -> dict[str, str]:
    return {
        item["metadata"]["name"]: item.get("status", {}).get("phase", "")
        for item in server.all(EXECUTIONS)
    }


async def test_a_foreign_run_under_the_name_of_a_lost_one_is_not_waited_for() -> None:
    server = Server()
    one = await started(server)
    server.create_execution("mine", TARGET, "restart")
    await work(one)
    foreign = server.get(RUNS, RUN)
    foreign["metadata"]["annotations"] = {names.KEY_TARGET: TARGET, names.KEY_EXECUTION_UID: "no"}
    server.remove_run(RUN)
    stop_everything(server)
    server.create_run(foreign)
    await work(one)
    server.end_run(RUN, "True")
    await work(one)
    assert phases(server) == {"mine": "Failed"}
    assert one.faults == []


async def test_an_execution_that_ended_under_our_hands_is_left_as_it_is() -> None:
    """The other operator writes its end while this one asks what is left of the run."""
    server = Server()
    one, other = await started(server), await started(server)
    server.create_execution("mine", TARGET, "restart")
    await work(one)
    server.remove_run(RUN)
    stop_everything(server)
    await work(other, passes=1)
    one.deliver_all()
    one.start_pass("mine/0")
    await settle_down()
    while one.pending and one.pending[0].what != "list tasks":
        one.pending[0].return_home()
        await settle_down()
    await work(other)
    one.deliver_all()
    await work(one)
    assert phases(server) == {"mine": "Failed"}
    assert one.faults == other.faults == []


async def test_a_late_event_of_an_earlier_run_does_not_free_the_target() -> None:
    """The slot is used again: its first run, first execution and their history are gone."""
    server = Server()
    late = await started(server)
    server.create_execution("first", TARGET, "restart")
    await work(late)
    server.end_run(RUN, "True")
    server.remove_run(RUN)
    stop_everything(server)
    server.delete_execution("first")
    await work(late, told=[EXECUTIONS])
    assert phases(server) == {}
    server.create_execution("second", TARGET, "scale-up")
    await work(late, told=[EXECUTIONS])
    assert len(server.unfinished_runs(TARGET)) == 1
    late.deliver(RUNS, 1)
    server.create_execution("third", TARGET, "drain")
    await work(late, told=[EXECUTIONS])
    assert len(server.unfinished_runs(TARGET)) == 1
    assert phases(server) == {"second": "Running", "third": "Skipped"}


async def test_the_younger_of_two_runs_gives_way() -> None:
    """One operator still counts a slot that for the other is gone, and two runs meet."""
    server = Server()
    one, late = await started(server), await started(server)
    server.create_execution("past", TARGET, "restart")
    await work(one)
    server.end_run(RUN, "True")
    await work(one)
    await work(late)
    server.remove_run(RUN)
    server.delete_execution("past")
    one = await started(server)
    server.now += timedelta(minutes=10)
    server.create_execution("first", TARGET, "restart")
    server.create_execution("second", TARGET, "restart")
    one.deliver(EXECUTIONS, 99)
    late.deliver(EXECUTIONS, 99)
    first, second = (item["metadata"]["uid"] for item in server.all(EXECUTIONS))
    one.start_pass(first)
    late.start_pass(second)
    for _ in range(2):
        await settle_down()
        for request in [*one.pending, *late.pending]:
            request.return_home()
    assert len(server.unfinished_runs(TARGET)) == 2
    for _ in range(9):
        await work(one, passes=1)
        await work(late, passes=1)
        for name in [*server.objects[RUNS]]:
            server.obey(name)
        stop_everything(server)
    assert len(server.unfinished_runs(TARGET)) == 1
    assert phases(server) == {"first": "Running", "second": "Failed"}
    assert one.faults == late.faults == []
