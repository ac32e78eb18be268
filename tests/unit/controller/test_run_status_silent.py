"""A silent run is looked at ever more rarely and at a known cost, and the finding is reported."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from builders import NOW, ago, make_run, raw_task_run, step
from clocks import FixedClock
from workflowexecution.api.reading import format_time
from workflowexecution.cache.memory import ExecutionMemory, RunMemory
from workflowexecution.controller.run_status import SilentRuns
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import parse_task_run
from workflowexecution.kube import errors

WORKING = raw_task_run(
    "work", "Unknown", "Running", "", steps=[step("s", running={"startedAt": "2026-01-01"})]
)
WAITING = raw_task_run("work", "Unknown", "Pending", "no room")
DONE = raw_task_run("work", "True", "Succeeded", "")
QUOTA = {"reason": "TaskRunsCreationFailed", "message": "exceeded quota", "lastTimestamp": "1"}


class Asked:
    """A cluster that answers what it is given, and keeps what it was asked for."""

    def __init__(
        self,
        *task_runs: Any,
        warnings: Sequence[Any] = (),
        error: errors.ApiError | None = None,
        pods: Sequence[Any] = (),
    ) -> None:
        self.pods = list(pods)
        self.task_runs = list(task_runs)
        self.warnings = list(warnings)
        self.error = error
        self.asked: list[str] = []

    async def list_task_runs(self, *_: Any) -> list[Any]:
        return self._answer("tasks", self.task_runs)

    async def list_pods(self, *_: Any) -> list[Any]:
        return self._answer("pods", self.pods)

    async def list_pod_events(self, _: str, name: str) -> list[Any]:
        return self._answer(f"events of {name}", self.warnings)

    async def list_warnings(self, _: Run) -> list[Any]:
        return self._answer("warnings", self.warnings)

    def _answer(self, what: str, answer: list[Any]) -> list[Any]:
        self.asked.append(what)
        if self.error:
            raise self.error
        return answer


MOUNT = {"reason": "FailedMount", "message": "no secret", "lastTimestamp": format_time(ago())}
POD = {
    "metadata": {"name": "run-work-pod"},
    "status": {"conditions": [{"type": "PodScheduled", "status": "True"}]},
}
UNPREPARED = raw_task_run(
    "work", reason="TaskRunCancelled", message='pod status "PodReadyToStartContainers":"False"; '
)


def running(**given: Any) -> Run:
    return make_run("mine", started_at=ago(minutes=1), tasks=["work"], **given)


def looks(cluster: Asked, run: Run, *after: float) -> tuple[list[float | None], ExecutionMemory]:
    """Look at a run at these times, in seconds; what each answered, and what is remembered."""
    clock, memory = FixedClock(NOW), ExecutionMemory()
    silent_runs = SilentRuns(cluster)  # type: ignore[arg-type]

    async def look() -> list[float | None]:
        found, begun = [], clock.monotonic()
        for seconds in after:
            clock.advance(begun + seconds - clock.monotonic())
            found.append(await silent_runs.look(memory, RunMemory(), run, now=clock.monotonic()))
        return found

    return asyncio.run(look()), memory


def test_nothing_is_asked_for_half_a_minute() -> None:
    cluster = Asked(WAITING)
    found, memory = looks(cluster, running(), 0, 12, 29)
    assert (found, cluster.asked, memory.waits_for) == ([30, 18, 1], [], "")


def test_a_run_whose_step_works_costs_one_request_and_no_more() -> None:
    cluster = Asked(WORKING)
    found, memory = looks(cluster, running(), 0, 30, 60, 6000)
    assert found == [30, None, None, None]
    assert (cluster.asked, memory.waits_for) == (["tasks"], "")


def test_a_sidecar_costs_one_request_more() -> None:
    beside = {**WORKING, "status": {**WORKING["status"], "sidecars": [{"name": "proxy"}]}}
    cluster = Asked(beside)
    found, _ = looks(cluster, running(), 0, 30)
    assert (found, cluster.asked) == ([30, None], ["tasks", "pods"])


def test_one_that_waits_is_looked_at_ever_more_rarely() -> None:
    cluster = Asked(WAITING)
    found, memory = looks(cluster, running(), 0, 30, 31, 60, 119, 120, 240)
    assert found == [30, 30, 29, 60, 1, 120, 120]
    assert cluster.asked == ["tasks", "pods"] * 4
    assert memory.waits_for == "task 'work' has not begun: Pending: no room"


@pytest.mark.parametrize(("at", "is_own"), [(ago(), True), (ago(hours=1), False)])
def test_while_a_pod_is_prepared_its_own_events_are_asked(at: datetime, is_own: bool) -> None:
    cluster = Asked(WAITING, warnings=[{**MOUNT, "lastTimestamp": format_time(at)}], pods=[POD])
    _, memory = looks(cluster, running(), 0, 30)
    assert cluster.asked == ["tasks", "pods", "events of run-work-pod"]
    said = "FailedMount: no secret" if is_own else "Pending: no room"
    assert memory.waits_for == f"task 'work' has not begun: {said}"


def test_without_a_task_events_are_asked() -> None:
    cluster = Asked(DONE, warnings=[QUOTA])
    _, memory = looks(cluster, running(), 0, 30)
    assert cluster.asked == ["tasks", "warnings"]
    assert memory.waits_for == "TaskRunsCreationFailed: exceeded quota"


def test_a_resolver_is_asked_after_without_any_request() -> None:
    cluster = Asked()
    run = make_run("mine", started_at=ago(minutes=1), reason="ResolvingPipelineRef")
    _, memory = looks(cluster, run, 0, 30, 60)
    assert (cluster.asked, "resolver" in memory.waits_for) == ([], True)


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(make_run("mine", reason="PipelineRunPending"), id="not-started"),
        pytest.param(running(spec={"status": "Cancelled"}), id="cancelled"),
    ],
)
def test_a_run_that_should_be_silent_is_left_alone(run: Run) -> None:
    cluster = Asked(WAITING)
    assert looks(cluster, run, 0, 30, 300)[0] == [None, None, None]
    assert cluster.asked == []


def test_what_a_run_tells_ends_the_silence() -> None:
    cluster, clock, memory = Asked(WAITING), FixedClock(NOW), ExecutionMemory()
    silent_runs = SilentRuns(cluster)  # type: ignore[arg-type]

    async def look() -> None:
        for message in ("none", "none", "one"):
            await silent_runs.look(
                memory, RunMemory(), running(message=message), now=clock.monotonic()
            )
            clock.advance(30)

    asyncio.run(look())
    assert (memory.waits_for, memory.looks, cluster.asked) == ("", 0, ["tasks", "pods"])


def test_a_cluster_that_does_not_answer_is_asked_again_later() -> None:
    cluster = Asked(WAITING, error=errors.MissingRightError("no"))
    found, memory = looks(cluster, running(), 0, 30, 60)
    assert (found, memory.waits_for) == ([30, 30, 60], "")


def late(**given: Any) -> Run:
    ended = {"succeeded": "False", "reason": "PipelineRunTimeout", "completed_at": ago()}
    return make_run("mine", **{**ended, **given})


@pytest.mark.parametrize(
    ("run", "task_runs", "warnings", "error", "expected", "asked"),
    [
        pytest.param(
            late(tasks=["work"]),
            [],
            [QUOTA],
            None,
            "TaskRunsCreationFailed: exceeded quota",
            ["warnings"],
            id="an-event-tells",
        ),
        pytest.param(late(tasks=["work"]), [], [], None, "seen", ["warnings"], id="no-event"),
        pytest.param(
            late(tasks=["work"]),
            [],
            [QUOTA],
            errors.MissingRightError("no"),
            "seen",
            ["warnings"],
            id="events-cannot-be-read",
        ),
        pytest.param(
            late(tasks=["work"]),
            [raw_task_run("work", reason="TaskRunCancelled")],
            [QUOTA],
            None,
            "seen",
            [],
            id="a-task-is-to-blame",
        ),
        pytest.param(late(), [], [QUOTA], None, "Tekton has not", [], id="never-resolved"),
        pytest.param(
            late(tasks=["work"]),
            [UNPREPARED],
            [MOUNT],
            None,
            "task 'work' has not begun: FailedMount: no secret",
            ["events of run-work-pod"],
            id="its-pod-was-not-prepared",
        ),
        pytest.param(
            late(tasks=["work"]),
            [UNPREPARED],
            [],
            None,
            "seen",
            ["events of run-work-pod"],
            id="nothing-is-told-of-its-pod",
        ),
    ],
)
def test_what_a_late_run_had_waited_for(
    run: Run,
    task_runs: list[Any],
    warnings: list[Any],
    error: errors.ApiError | None,
    expected: str,
    asked: list[str],
) -> None:
    cluster, memory = Asked(warnings=warnings, error=error), ExecutionMemory(waits_for="seen")
    silent_runs = SilentRuns(cluster)  # type: ignore[arg-type]
    tasks = [parse_task_run(raw) for raw in task_runs]
    said = asyncio.run(silent_runs.last_words(memory, run, tasks))
    assert said.startswith(expected)
    assert cluster.asked == asked


def test_a_look_remembers_whether_tekton_had_let_the_first_step_begin() -> None:
    held: dict[str, Any] = {
        "metadata": {"name": "run-work-pod"},
        "spec": {"containers": [{"name": "step-s", "args": ["/tekton/downward/ready"]}]},
        "status": {"phase": "Running"},
    }
    task = {**WORKING, "status": {**WORKING["status"], "sidecars": [{"name": "proxy"}]}}
    memory, of_run, clock = ExecutionMemory(), RunMemory(), FixedClock(NOW)
    silent_runs = SilentRuns(Asked(task, pods=[held]))  # type: ignore[arg-type]

    async def look() -> None:
        for _ in range(2):
            await silent_runs.look(memory, of_run, running(), now=clock.monotonic())
            clock.advance(30)

    asyncio.run(look())
    assert [child.let_begin for child in of_run.looked_at.values()] == [False]
