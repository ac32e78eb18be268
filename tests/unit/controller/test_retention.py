"""History is removed one object after the other, never fast, and never by name alone."""

import asyncio
from typing import Any, cast

import pytest

from builders import NOW, ago, finished_run, make_execution, make_run
from workflowexecution.api.status import Phase
from workflowexecution.client.cluster import Cluster
from workflowexecution.controller.retention import Candidates, Retention
from workflowexecution.core import policy as rules
from workflowexecution.core.facts.run import Run
from workflowexecution.core.policy import may_remove_execution, may_remove_run
from workflowexecution.kube import errors
from workflowexecution.observe.metrics import Metrics

# It ended four minutes ago; Tekton's clock, six minutes behind, says ten.
BY_A_CLOCK_BEHIND = finished_run(
    "e", created_at=ago(minutes=14), started_at=ago(minutes=20), completed_at=ago(minutes=10)
)


class Deletes:
    """Takes deletes, and answers each as it was told to."""

    def __init__(self, *answers: errors.ApiError | None) -> None:
        self.asked: list[tuple[str, str]] = []
        self._answers = iter(answers)

    async def remove_run(self, _: str, name: str, uid: str) -> None:
        self.asked.append((name, uid))
        if error := next(self._answers, None):
            raise error

    remove_execution = remove_run


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The lengths of all pauses; no test really waits."""
    found: list[float] = []

    async def sleep(seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return found


def candidates(count: int) -> Candidates:
    found = Candidates()
    for number in range(1, count + 1):
        found.add_run(finished_run(f"e{number}", number=number))
    return found


async def test_at_most_ten_are_removed_in_a_second(pauses: list[float]) -> None:
    deletes, metrics = Deletes(), Metrics()
    await Retention(cast(Cluster, deletes), metrics).remove(candidates(7))
    assert len(deletes.asked) == 7
    assert pauses == [0.1] * 7
    assert all(uid == f"uid-of-{name}" for name, uid in deletes.asked)


async def test_executions_do_not_wait_until_all_runs_are_removed() -> None:
    deletes, found = Deletes(), candidates(3)
    for number in range(3):
        found.add_execution(make_execution(f"e{number}"))
    await Retention(cast(Cluster, deletes), Metrics()).remove(found)
    kinds = ["run" if name.startswith("wfe-") else "execution" for name, _ in deletes.asked]
    assert sorted(kinds[:2]) == sorted(kinds[2:4]) == ["execution", "run"]


def test_what_is_noted_is_bounded() -> None:
    found = Candidates()
    for number in range(1, 6200):
        found.add_run(finished_run(f"e{number}", number=number))
        found.add_execution(make_execution(f"e{number}"))
    assert (len(found.runs), len(found.executions)) == (6000, 6000)


async def test_what_is_gone_is_passed_over_and_a_refusal_ends_it(pauses: list[float]) -> None:
    gone, refused = errors.NotFoundError("gone"), errors.MissingRightError("no right")
    deletes, metrics = Deletes(gone, None, refused), Metrics()
    await Retention(cast(Cluster, deletes), metrics).remove(candidates(5))
    assert len(deletes.asked) == 3
    assert metrics.removed.labels(kind="run")._value.get() == 1.0
    assert len(pauses) == 3


async def test_what_is_refused_does_not_keep_the_others(pauses: list[float]) -> None:
    no, never = errors.ForbiddenError("a policy refuses it"), errors.RejectedError("400")
    deletes, metrics = Deletes(no, never, None), Metrics()
    await Retention(cast(Cluster, deletes), metrics).remove(candidates(5))
    assert len(deletes.asked) == len(pauses) == 5
    assert metrics.removed.labels(kind="run")._value.get() == 3.0


def kept(**given: Any) -> rules.Retention:
    usual = {"runs": ago(), "failed_runs": ago(), "executions": ago()}
    durations = {name: NOW - moment for name, moment in {**usual, **given}.items()}
    return rules.Retention(**durations)


@pytest.mark.parametrize(
    ("run", "given", "expected"),
    [
        (finished_run("e"), {"runs": ago(minutes=10), "cooldown": ago()}, True),
        (finished_run("e"), {"runs": ago(minutes=11), "cooldown": ago()}, False),
        (finished_run("e"), {"runs": ago(minutes=1), "cooldown": ago(minutes=11)}, False),
        (BY_A_CLOCK_BEHIND, {"runs": ago(minutes=1), "cooldown": ago(minutes=5)}, False),
        (finished_run("e"), {"cooldown": ago()}, False),
        (finished_run("e", succeeded="False"), {"runs": ago(minutes=1), "cooldown": ago()}, False),
        (
            finished_run("e", succeeded="False"),
            {"failed_runs": ago(minutes=1), "cooldown": ago()},
            True,
        ),
        (finished_run(None), {"runs": ago(minutes=1), "cooldown": ago()}, False),
        (finished_run("e", deleted_at=NOW), {"runs": ago(minutes=1), "cooldown": ago()}, False),
        (make_run("e"), {"runs": ago(minutes=1), "cooldown": ago()}, False),
    ],
    ids=[
        "old",
        "young",
        "cooling",
        "cooling-by-a-clock-behind",
        "for-ever",
        "failed",
        "old-failed",
        "foreign",
        "going",
        "active",
    ],
)
def test_when_a_run_may_be_removed(run: Run, given: dict[str, Any], expected: bool) -> None:
    assert may_remove_run(run, kept(**given), NOW) is expected


@pytest.mark.parametrize(
    ("phase", "expected"), [(Phase.COMPLETED, True), (Phase.FAILED, True), (Phase.RUNNING, False)]
)
def test_when_an_execution_may_be_removed(phase: Phase, expected: bool) -> None:
    ended: dict[str, Any] = {"completed_at": ago(minutes=10)} if phase.is_terminal else {}
    execution = make_execution("e", phase=phase, number=1, **ended)
    old = kept(executions=ago(minutes=9), cooldown=ago())
    assert may_remove_execution(execution, old, NOW) is expected
    assert not may_remove_execution(execution, kept(cooldown=ago()), NOW)
