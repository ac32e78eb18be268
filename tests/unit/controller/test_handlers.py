"""Watch events queue exactly the executions and runs that may have work."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from builders import NOW, RUN_NAMESPACE, make_policy, raw_execution, raw_run, run_status
from clocks import FixedClock
from workflowexecution.api.status import Phase
from workflowexecution.cache.memory import Gaps, Memory
from workflowexecution.cache.store import Store
from workflowexecution.controller.context import Context
from workflowexecution.controller.handlers import EventHandler
from workflowexecution.controller.workqueue import WorkQueue

FAILED = run_status("False", "Failed", completed_at=NOW)


@dataclass
class Added:
    """Keys in the order in which they were queued."""

    keys: list[Any] = field(default_factory=list)

    def add(self, key: Any) -> None:
        self.keys.append(key)

    def add_within(self, key: Any, seconds: float) -> None:
        self.keys.append((key, seconds))

    def taken(self) -> list[Any]:
        """The keys that were queued since the last time."""
        keys, self.keys = self.keys, []
        return keys


@dataclass
class Desk:
    """An event handler and everything around it."""

    store: Store
    memory: Memory
    gaps: Gaps
    executions: Added
    runs: Added
    handler: EventHandler


@pytest.fixture
def desk() -> Desk:
    store, memory, executions, runs = Store(RUN_NAMESPACE), Memory(), Added(), Added()
    nothing, gaps = cast(Any, None), Gaps()
    queues = cast("WorkQueue[str]", executions), cast("WorkQueue[tuple[str, str]]", runs)
    context = Context(nothing, store, memory, nothing, make_policy(), FixedClock(NOW), *queues)
    handler = EventHandler(context, gaps)
    return Desk(store, memory, gaps, executions, runs, handler)


def key_of(raw: dict[str, Any]) -> tuple[str, str]:
    return raw["metadata"]["namespace"], raw["metadata"]["name"]


def ended(name: str, **given: Any) -> dict[str, Any]:
    status = {"phase": Phase.FAILED, "completionTime": "2026-01-02T12:00:00Z"}
    return raw_execution(name, status=status, **given)


def test_an_execution_is_queued_unless_it_has_ended_or_is_our_own_write(desk: Desk) -> None:
    desk.handler.on_execution("ADDED", raw_execution("mine"))
    desk.handler.on_execution("ADDED", ended("over"))
    assert desk.executions.taken() == ["uid-of-mine"]
    desk.memory.execution("uid-of-mine").written_version = "2"
    desk.handler.on_execution("MODIFIED", raw_execution("mine", version=2))
    assert desk.executions.taken() == []
    desk.handler.on_execution("MODIFIED", raw_execution("mine", version=3))
    assert desk.executions.taken() == ["uid-of-mine"]


@pytest.mark.parametrize(
    ("event", "raw"),
    [
        ("DELETED", raw_execution("mine", version=2)),
        ("MODIFIED", raw_execution("mine", version=2, deleted_at=NOW)),
        ("MODIFIED", ended("mine", version=2)),
    ],
)
def test_the_run_of_an_execution_that_is_over_is_looked_at(
    desk: Desk, event: str, raw: dict[str, Any]
) -> None:
    run = raw_run("mine", status=run_status())
    desk.handler.on_execution("ADDED", raw_execution("mine"))
    desk.handler.on_run("ADDED", run)
    assert desk.runs.taken() == []
    desk.handler.on_execution(event, raw)
    assert desk.runs.taken() == [key_of(run)]


def test_a_run_beside_the_one_that_the_status_names_is_looked_at(desk: Desk) -> None:
    """As when another installation has launched the same execution, and was first to say so."""
    run = raw_run("mine", status=run_status())
    desk.handler.on_execution("ADDED", raw_execution("mine"))
    desk.handler.on_run("ADDED", run)
    _, name = key_of(run)
    for namespace, looked_at in ((RUN_NAMESPACE, []), ("their-runs", [key_of(run)])):
        status = {"phase": "Running", "pipelineRunRef": {"name": name, "namespace": namespace}}
        desk.handler.on_execution("MODIFIED", raw_execution("mine", status=status, version=2))
        assert desk.runs.taken() == looked_at


def test_a_deleted_execution_is_queued_so_that_what_is_remembered_goes(desk: Desk) -> None:
    desk.handler.on_execution("ADDED", raw_execution("mine"))
    desk.handler.on_execution("DELETED", raw_execution("mine", version=2))
    assert (desk.store.executions(), desk.executions.taken()) == ([], ["uid-of-mine"] * 2)


def test_a_run_that_goes_on_queues_its_execution_alone(desk: Desk) -> None:
    desk.handler.on_execution("ADDED", raw_execution("mine"))
    desk.executions.taken()
    desk.handler.on_run("ADDED", raw_run("mine", status=run_status()))
    assert (desk.executions.taken(), desk.runs.taken()) == (["uid-of-mine"], [])


def test_what_changes_nothing_that_matters_queues_nothing(desk: Desk) -> None:
    desk.handler.on_execution("ADDED", raw_execution("mine"))
    desk.handler.on_run("ADDED", raw_run("mine", status=run_status(message="one")))
    assert desk.executions.taken() == ["uid-of-mine", "uid-of-mine"]
    desk.handler.on_run("MODIFIED", raw_run("mine", status=run_status(message="one"), version=2))
    assert desk.executions.taken() == []
    desk.handler.on_run("MODIFIED", raw_run("mine", status=run_status(message="two"), version=3))
    # Progress is written every five seconds, and not before.
    assert desk.executions.taken() == [("uid-of-mine", 5.0)]
    (run,) = desk.store.runs()
    assert run.resource_version == "3"


def test_a_run_that_is_known_already_is_looked_at_where_nobody_wants_it(desk: Desk) -> None:
    """As when its execution was deleted while the run was created."""
    raw = raw_run("gone", status=run_status())
    desk.handler.on_run("ADDED", raw)
    assert desk.runs.taken() == [key_of(raw)]
    desk.handler.on_run("MODIFIED", raw)
    assert desk.runs.taken() == [key_of(raw)]


def test_a_run_that_failed_is_looked_at_before_its_execution(desk: Desk) -> None:
    desk.handler.on_execution("ADDED", raw_execution("mine"))
    desk.handler.on_run("ADDED", raw_run("mine", status=run_status()))
    desk.executions.taken()
    failed = raw_run("mine", status=FAILED, version=2)
    desk.handler.on_run("MODIFIED", failed)
    assert (desk.executions.taken(), desk.runs.taken()) == ([], [key_of(failed)])


@pytest.mark.parametrize("owner", ["nobody-knows", None])
def test_a_run_that_nobody_is_known_to_want_is_looked_at(desk: Desk, owner: str | None) -> None:
    run = raw_run(owner, status=run_status())
    desk.handler.on_run("ADDED", run)
    assert (desk.executions.taken(), desk.runs.taken()) == ([], [key_of(run)])


def test_a_run_that_somebody_cancels_is_looked_at(desk: Desk) -> None:
    """Tekton may not end it, so it is queued although its execution wants it."""
    desk.handler.on_execution("ADDED", raw_execution("mine"))
    cancelled = raw_run("mine", status=run_status(), spec={"status": "CancelledRunFinally"})
    desk.handler.on_run("ADDED", cancelled)
    assert desk.runs.taken() == [key_of(cancelled)]


def test_a_second_run_on_a_target_is_looked_at(desk: Desk) -> None:
    desk.handler.on_execution("ADDED", raw_execution("mine"))
    desk.handler.on_run("ADDED", raw_run(None, number=1))
    desk.runs.taken()
    mine = raw_run("mine", number=2)
    desk.handler.on_run("ADDED", mine)
    assert desk.runs.taken() == [key_of(mine)]


def test_a_run_that_is_deleted_unseen_is_looked_for(desk: Desk) -> None:
    run = raw_run("other", status=run_status())
    desk.handler.on_run("DELETED", run)
    assert [str(known.state) for known in desk.store.runs()] == ["Stopping"]
    assert desk.runs.taken() == [key_of(run), key_of(run)]


def test_the_removal_of_what_finished_long_ago_is_no_work(desk: Desk) -> None:
    desk.handler.on_run("DELETED", raw_run("other", status=run_status("True", completed_at=NOW)))
    assert desk.store.runs() == []


def test_what_may_have_been_missed_asks_for_a_relist(desk: Desk) -> None:
    assert not desk.gaps.need_relist
    desk.handler.missed()
    assert desk.gaps.need_relist


def test_an_object_nobody_foresaw_costs_no_other(desk: Desk) -> None:
    with capture_logs() as logs:
        desk.handler.on_execution("ADDED", {"metadata": {"name": "odd"}})
        desk.handler.on_run("ADDED", {})
    desk.handler.on_execution("ADDED", raw_execution("mine"))
    assert [(item["event"], item["object"]) for item in logs] == [
        ("event not understood", "odd"),
        ("event not understood", None),
    ]
    assert len(desk.store.executions()) == 1


def test_the_cached_version_of_an_execution_can_wait_and_no_other(desk: Desk) -> None:
    desk.handler.on_execution("ADDED", raw_execution("mine", version=2))
    desk.handler.on_execution("ADDED", ended("over", version=5))
    can_wait = desk.handler.can_wait_execution
    assert can_wait("MODIFIED", raw_execution("mine", version=2))
    assert can_wait("MODIFIED", ended("over", version=5))
    assert not can_wait("MODIFIED", raw_execution("mine", version=3))
    assert not can_wait("DELETED", raw_execution("mine", version=2))
    assert not can_wait("MODIFIED", raw_execution("unknown", version=2))
    assert not can_wait("MODIFIED", {"metadata": {"resourceVersion": "2"}})


def test_progress_of_a_known_run_can_wait(desk: Desk) -> None:
    desk.handler.on_run("ADDED", raw_run("mine"))
    progress = raw_run("mine", version=2, status=run_status("Unknown", "Running"))
    assert desk.handler.can_wait_run("MODIFIED", progress)


@pytest.mark.parametrize(
    ("event_type", "raw"),
    [
        pytest.param("DELETED", raw_run("mine"), id="it-is-deleted"),
        pytest.param("MODIFIED", raw_run("mine", deleted_at=NOW), id="it-is-being-deleted"),
        pytest.param("MODIFIED", raw_run("mine", status=FAILED), id="it-has-ended"),
        pytest.param("MODIFIED", raw_run("mine", spec={"status": "Cancelled"}), id="it-shall-end"),
        pytest.param("MODIFIED", raw_run("mine", uid="another"), id="another-has-its-name"),
        pytest.param("ADDED", raw_run("mine", target="Node/two", name_target="Node/two"), id="new"),
    ],
)
def test_more_than_progress_of_a_run_must_not_wait(
    desk: Desk, event_type: str, raw: dict[str, Any]
) -> None:
    desk.handler.on_run("ADDED", raw_run("mine"))
    assert not desk.handler.can_wait_run(event_type, raw)


def test_nothing_waits_of_a_run_that_has_ended(desk: Desk) -> None:
    desk.handler.on_run("ADDED", raw_run("mine", status=FAILED))
    assert not desk.handler.can_wait_run("MODIFIED", raw_run("mine", version=2))
