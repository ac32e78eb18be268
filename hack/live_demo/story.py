"""The story of the demo: the executions, when each is created, and how each must end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from live_demo.stage import NAMESPACE, Stage
from live_demo.tools import DemoError

TARGET = f"{NAMESPACE}/Deployment/payment-api"
END_SECONDS = 240.0
Status = Mapping[str, Any]


@dataclass(frozen=True)
class Act:
    """One execution of the story.

    `starts_when` is asked until it is true; `ends_as` says whether the status is as told.
    """

    name: str
    workflow: str
    target: str
    told: str
    ends_as: Callable[[Status], bool]
    starts_when: Callable[[Stage], bool] = lambda stage: True


def _phase(status: Status) -> str:
    return str(status.get("phase", ""))


def _is_busy_because_of(name: str) -> Callable[[Status], bool]:
    def holds(status: Status) -> bool:
        skip = status.get("skipDetails", {})
        blocker = skip.get("conflictingWorkflow", {}).get("name")
        return (skip.get("reason"), blocker) == ("ResourceBusy", name)

    return holds


def _is_cooling_down(status: Status) -> bool:
    skip = status.get("skipDetails", {})
    remaining = skip.get("recentRemediation", {}).get("cooldownRemaining")
    return skip.get("reason") == "RecentlyRemediated" and bool(remaining)


def _failed_in_step_with(step: str, code: int) -> Callable[[Status], bool]:
    def holds(status: Status) -> bool:
        failure = status.get("failureDetails", {})
        return (failure.get("failedStepName"), failure.get("exitCode")) == (step, code)

    return holds


def _completed(status: Status) -> bool:
    return _phase(status) == "Completed"


ACTS = (
    Act("restart", "restart-workload", TARGET, "runs and completes", _completed),
    Act(
        "restart-again",
        "restart-workload",
        TARGET,
        "skipped: the first still runs",
        _is_busy_because_of("restart"),
        lambda stage: stage.phase("restart") == "Running",
    ),
    Act(
        "restart-too-soon",
        "restart-workload",
        TARGET,
        "skipped: the cooldown is not over",
        _is_cooling_down,
        lambda stage: stage.phase("restart") == "Completed",
    ),
    Act(
        "inspect",
        "inspect-workload",
        TARGET,
        "a different workflow may run at once",
        _completed,
        lambda stage: stage.phase("restart-too-soon") == "Skipped",
    ),
    Act(
        "repair",
        "always-fails",
        f"{NAMESPACE}/Deployment/cart",
        "fails in step apply with exit code 7",
        _failed_in_step_with("apply", 7),
        lambda stage: stage.phase("restart") == "Completed",
    ),
)


def play(stage: Stage, show: Callable[[], None]) -> None:
    """Create every execution at its time until all have ended, or one has not ended as told.

    Raises: DemoError where they do not end in time.
    """
    waiting = list(ACTS)
    deadline = time.monotonic() + END_SECONDS
    while not _is_over(stage):
        if time.monotonic() > deadline:
            raise DemoError(f"the executions did not end within {END_SECONDS:.0f} s")
        stage.look()
        show()
        for act in [act for act in waiting if act.starts_when(stage)]:
            stage.create(act.name, act.workflow, act.target)
            waiting.remove(act)
        time.sleep(0.2)
    show()


def _is_over(stage: Stage) -> bool:
    ended = [act for act in ACTS if stage.has_ended(act.name)]
    return len(ended) == len(ACTS) or any(not act.ends_as(stage.status(act.name)) for act in ended)


def not_as_told(stage: Stage) -> list[Act]:
    """The acts that did not end as told."""
    return [act for act in ACTS if not act.ends_as(stage.status(act.name))]
