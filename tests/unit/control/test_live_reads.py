"""What comes in from the cluster: live reads, their freshness, watch events and full lists."""

from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from builders import NAMESPACE, NOW, make_execution, make_run, raw_execution, raw_run, run_status
from workflowexecution.api.status import Phase
from workflowexecution.control import live_reads as witness
from workflowexecution.control.cluster import Cluster
from workflowexecution.control.intake import Intake
from workflowexecution.control.ledger import Ledger
from workflowexecution.control.live_reads import LiveReader
from workflowexecution.control.workqueue import WorkQueue
from workflowexecution.kube import errors

ENDED = run_status("False", "Failed", completed_at=NOW)
ACTIVE_TASK: dict[str, Any] = {"metadata": {"name": "t"}, "status": {}}
RUN = make_run("mine")


class Here:
    """A cluster of what a test puts in it, read and never written."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.executions: dict[str, dict[str, Any]] = {}
        self.task_runs: list[dict[str, Any]] = []

    async def get_run(self, name: str) -> dict[str, Any]:
        return self._get(self.runs, name)

    async def get_execution(self, _: str, name: str) -> dict[str, Any]:
        return self._get(self.executions, name)

    async def list_task_runs(self, _: str, __: str) -> list[dict[str, Any]]:
        return self.task_runs

    async def list_pods(self, _: str, __: str) -> list[dict[str, Any]]:
        return []

    async def list_runs(self) -> AsyncIterator[dict[str, Any]]:
        for raw in self.runs.values():
            yield raw

    async def list_executions(self) -> AsyncIterator[dict[str, Any]]:
        for raw in self.executions.values():
            yield raw

    def _get(self, objects: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
        if name not in objects:
            raise errors.NotFoundError(f"{name} not found", status=404)
        return objects[name]


@pytest.fixture
def here() -> Here:
    return Here()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def eye(here: Here, ledger: Ledger) -> LiveReader:
    return LiveReader(cast(Cluster, here), ledger, namespace="runs")


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    now = [100.0]
    monkeypatch.setattr(witness, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def pass_time(seconds: float) -> None:
        now[0] += seconds

    return pass_time


def test_what_was_seen_is_fresh_for_a_second(
    eye: LiveReader, pass_time: Callable[[float], None]
) -> None:
    assert not eye.is_fresh("a")
    eye.vouch("a")
    pass_time(0.75)
    eye.vouch("b")
    assert (eye.is_fresh("a"), eye.is_fresh("b")) == (True, True)
    pass_time(0.25)
    assert (eye.is_fresh("a"), eye.is_fresh("b")) == (False, True)
    eye.vouch("c")
    assert sorted(eye._seen_at) == ["b", "c"]


async def test_a_run_that_is_gone_is_forgotten_and_that_is_fresh(
    eye: LiveReader, ledger: Ledger
) -> None:
    ledger.observe_run(RUN)
    assert await eye.look(RUN.name) is None
    assert (ledger.runs(), eye.is_fresh(RUN.name)) == ([], True)


@pytest.mark.parametrize(
    ("status", "task_runs", "has_stopped"),
    [
        pytest.param(None, [], False, id="active"),
        pytest.param(ENDED, [ACTIVE_TASK], False, id="ended-with-a-task-at-work"),
        pytest.param(ENDED, [], True, id="ended-and-stopped"),
    ],
)
async def test_a_run_that_ended_badly_is_looked_at_to_the_end(
    here: Here,
    eye: LiveReader,
    ledger: Ledger,
    status: object,
    task_runs: list[dict[str, Any]],
    has_stopped: bool,
) -> None:
    here.runs[RUN.name], here.task_runs = raw_run("mine", status=status), task_runs
    seen = await eye.look(RUN.name)
    assert seen is not None
    assert (seen.has_stopped, ledger.run(RUN.name)) == (has_stopped, seen)


async def test_an_execution_that_is_gone_is_forgotten(eye: LiveReader, ledger: Ledger) -> None:
    stays = make_execution("other")
    ledger.observe_execution(make_execution("mine"))
    ledger.observe_execution(stays)
    await eye.look_at_execution(NAMESPACE, "mine")
    assert ledger.executions() == [stays]


async def test_an_execution_that_took_the_name_takes_the_place(
    here: Here, eye: LiveReader, ledger: Ledger
) -> None:
    ledger.observe_execution(make_execution("mine"))
    here.executions["mine"] = raw_execution("mine", uid="uid-2", version=2)
    await eye.look_at_execution(NAMESPACE, "mine", "uid-of-mine")
    assert [item.uid for item in ledger.executions()] == ["uid-2"]


class Added:
    """Keys in the order in which they were queued."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def add(self, key: str) -> None:
        self.keys.append(key)


@pytest.fixture
def added() -> Added:
    return Added()


@pytest.fixture
def inbox(ledger: Ledger, added: Added) -> Intake:
    return Intake(ledger, cast(WorkQueue, added))


def ended(name: str) -> dict[str, Any]:
    status = {"phase": Phase.FAILED, "completionTime": "2026-01-02T12:00:00Z"}
    return raw_execution(name, status=status)


def test_only_news_of_what_is_not_over_is_queued(inbox: Intake, added: Added) -> None:
    inbox.on_execution("ADDED", raw_execution("mine"))
    inbox.on_execution(None, raw_execution("mine"))
    inbox.on_execution("MODIFIED", raw_execution("mine", version=2))
    inbox.on_execution("ADDED", ended("over"))
    assert added.keys == ["uid-of-mine", "uid-of-mine"]


def test_an_event_of_a_run_queues_its_owner(inbox: Intake, added: Added, ledger: Ledger) -> None:
    for execution in (raw_execution("mine"), ended("over")):
        inbox.on_execution("ADDED", execution)
    added.keys.clear()
    inbox.on_run("ADDED", raw_run("mine"))
    inbox.on_run("ADDED", raw_run("over", slot=2, status=run_status("True")))
    inbox.on_run("ADDED", raw_run("unknown", slot=3))
    inbox.on_run("ADDED", raw_run(None, slot=4))
    foreign = raw_run("mine", slot=5)
    foreign["metadata"]["name"] = "nightly-build"
    inbox.on_run("ADDED", foreign)
    assert (added.keys, len(ledger.runs())) == (["uid-of-mine"], 4)
    inbox.on_run("DELETED", raw_run("mine"))
    assert (added.keys, len(ledger.runs())) == (["uid-of-mine"] * 2, 3)
    inbox.on_run("MODIFIED", raw_run("over", slot=6))
    assert added.keys[2:] == ["uid-of-over"], "an ended execution whose run goes on"


def test_what_is_deleted_is_forgotten(inbox: Intake, ledger: Ledger, added: Added) -> None:
    inbox.on_execution("ADDED", raw_execution("mine"))
    inbox.on_execution("DELETED", raw_execution("mine", version=2))
    assert (ledger.executions(), added.keys) == ([], ["uid-of-mine"])


def test_an_object_nobody_foresaw_costs_no_other(inbox: Intake, ledger: Ledger) -> None:
    with capture_logs() as logs:
        inbox.on_execution("ADDED", {"metadata": {"name": "odd"}})
        inbox.on_run("ADDED", {})
    inbox.on_execution("ADDED", raw_execution("mine"))
    assert [(item["event"], item["object"]) for item in logs] == [
        ("event not understood", "odd"),
        ("event not understood", None),
    ]
    assert len(ledger.executions()) == 1


async def test_full_lists_queue_what_may_need_work(
    here: Here, inbox: Intake, ledger: Ledger, added: Added
) -> None:
    ledger.observe_execution(make_execution("gone"))
    here.executions = {"mine": raw_execution("mine"), "over": ended("over")}
    here.runs = {RUN.name: raw_run("mine", status=run_status())}
    await inbox.resync(cast(Cluster, here))
    assert sorted(item.name for item in ledger.executions()) == ["mine", "over"]
    assert (ledger.runs(), added.keys) == ([RUN], ["uid-of-mine"])
