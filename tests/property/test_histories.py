"""Histories that once went wrong, told step by step."""

from collections.abc import Iterable
from datetime import timedelta

from builders import NAMESPACE, RUN_NAMESPACE
from model_operators import Operator
from model_server import Server
from model_store import EXECUTIONS, RUNS, STEP
from workflowexecution.core import names

TARGET = "Node/worker-1"
RUN = f"{RUN_NAMESPACE}/{names.run_name(TARGET, 1)}"


def started(server: Server) -> Operator:
    one = Operator(server)
    one.start()
    one.open()
    return one


def work(one: Operator, passes: int = 6, *, told: Iterable[str] = (EXECUTIONS, RUNS)) -> None:
    """Tell an operator everything of these kinds, and answer what it asks."""
    for _ in range(passes):
        one.server.now += STEP
        for kind in told:
            one.deliver(kind, len(one.server.history[kind]))
        for key in one.wake():
            one.start_pass(key)
        while one.pending:
            one.answer_all()


def stop_everything(server: Server) -> None:
    """Nothing executes any more of what has ended or is gone."""
    server.tekton.stop_tasks()
    server.tekton.stop_pods()


def phases(server: Server) -> dict[str, str]:
    return {
        item["metadata"]["name"]: item.get("status", {}).get("phase", "")
        for item in server.all(EXECUTIONS)
    }


def test_a_foreign_run_under_the_name_of_a_lost_one_is_not_waited_for() -> None:
    server = Server()
    one = started(server)
    server.create_execution("mine", TARGET, "restart")
    work(one)
    foreign = server.get(RUNS, RUN)
    foreign["metadata"]["annotations"][names.KEY_EXECUTION_UID] = "no"
    server.lose_run(RUN)
    stop_everything(server)
    server.create_run(foreign)
    work(one)
    server.tekton.end_run(RUN, "True")
    work(one)
    assert phases(server) == {"mine": "Failed"}
    assert one.faults == []


def test_an_execution_that_ended_under_our_hands_is_left_as_it_is() -> None:
    """The other operator writes its end while this one asks what is left of the run."""
    server = Server()
    one, other = started(server), started(server)
    server.create_execution("mine", TARGET, "restart")
    work(one)
    server.lose_run(RUN)
    stop_everything(server)
    work(other, passes=1)
    one.deliver_all()
    one.start_pass(server.get(EXECUTIONS, f"{NAMESPACE}/mine")["metadata"]["uid"])
    while one.pending and one.pending[0].what != "list tasks":
        one.answer_all()
    work(other)
    one.deliver_all()
    work(one)
    assert phases(server) == {"mine": "Failed"}
    assert one.faults == other.faults == []


def test_a_late_event_of_an_earlier_run_does_not_free_the_target() -> None:
    """The run number is used again: its first run, first execution and their history are gone."""
    server = Server()
    late = started(server)
    server.create_execution("first", TARGET, "restart")
    work(late)
    server.tekton.end_run(RUN, "True")
    server.lose_run(RUN)
    stop_everything(server)
    server.delete_execution(f"{NAMESPACE}/first")
    work(late, told=[EXECUTIONS])
    assert phases(server) == {}
    server.create_execution("second", TARGET, "scale-up")
    work(late, told=[EXECUTIONS])
    assert len(server.unfinished()) == 1
    late.deliver(RUNS, 1)
    server.create_execution("third", TARGET, "drain")
    work(late, told=[EXECUTIONS])
    assert len(server.unfinished()) == 1
    assert phases(server) == {"second": "Running", "third": "Skipped"}


def test_the_younger_of_two_runs_gives_way() -> None:
    """One operator still counts a run number that for the other is gone, and two runs meet."""
    server = Server()
    one, late = started(server), started(server)
    server.create_execution("past", TARGET, "restart")
    work(one)
    server.tekton.end_run(RUN, "True")
    work(one)
    work(late)
    server.lose_run(RUN)
    server.delete_execution(f"{NAMESPACE}/past")
    one = started(server)
    server.now += timedelta(minutes=10)
    server.create_execution("first", TARGET, "restart")
    server.create_execution("second", TARGET, "restart")
    one.deliver(EXECUTIONS, 99)
    late.deliver(EXECUTIONS, 99)
    first, second = (item["metadata"]["uid"] for item in server.all(EXECUTIONS))
    one.start_pass(first)
    late.start_pass(second)
    for _ in range(2):
        for request in [*one.pending, *late.pending]:
            request.serve()
        for each in (one, late):
            each.answer_all()
    assert len(server.unfinished()) == 2
    for _ in range(9):
        work(one, passes=1)
        work(late, passes=1)
        for name in [*server.objects[RUNS]]:
            server.tekton.obey(name)
        stop_everything(server)
    assert len(server.unfinished()) == 1
    assert phases(server) == {"first": "Running", "second": "Failed"}
    assert one.faults == late.faults == []


def test_a_run_whose_end_was_not_told_yet_is_not_removed() -> None:
    server = Server()
    one = started(server)
    server.create_execution("mine", TARGET, "restart")
    work(one)
    server.tekton.end_run(RUN, "True")
    server.now += timedelta(hours=1)
    one = started(server)
    remove_history(one)
    assert RUN in server.objects[RUNS]
    work(one)
    assert phases(server) == {"mine": "Completed"}
    remove_history(one)
    assert RUN not in server.objects[RUNS]


def remove_history(one: Operator) -> None:
    """List everything, and let retention remove what it finds."""
    one.resync()
    for _ in range(3):
        one.server.now += STEP
        one.go_on()
        one.answer_all()
