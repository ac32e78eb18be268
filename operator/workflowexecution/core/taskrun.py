"""TaskRuns of a run, read once it has ended badly: what each did, and how its steps ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from workflowexecution.api.fields import parse_time
from workflowexecution.core.observation import Raw, succeeded_condition

LABEL_PIPELINE_RUN: Final = "tekton.dev/pipelineRun"
LABEL_PIPELINE_TASK: Final = "tekton.dev/pipelineTask"


@dataclass(frozen=True, slots=True)
class Step:
    """One step's container; ``exit_code`` is None until it has terminated."""

    name: str
    container: str
    has_started: bool
    exit_code: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class TaskRun:
    """One attempt at one task of the pipeline."""

    name: str
    task_name: str
    succeeded: str
    reason: str
    message: str
    pod_name: str
    completed_at: datetime | None
    steps: tuple[Step, ...]

    @property
    def is_active(self) -> bool:
        """Whether it may still execute."""
        return self.succeeded not in ("True", "False")

    @property
    def has_started(self) -> bool:
        """Whether any of its steps left waiting, so that something may have been changed."""
        return any(step.has_started for step in self.steps)


def parse_task_run(raw: Raw) -> TaskRun:
    """Read a TaskRun as Tekton writes it."""
    condition = succeeded_condition(raw)
    meta, status = raw["metadata"], raw.get("status") or {}
    completed = status.get("completionTime")
    return TaskRun(
        name=meta["name"],
        task_name=(meta.get("labels") or {}).get(LABEL_PIPELINE_TASK, meta["name"]),
        succeeded=condition.get("status", "Unknown"),
        reason=condition.get("reason", ""),
        message=condition.get("message", ""),
        pod_name=status.get("podName", ""),
        completed_at=parse_time(completed) if completed else None,
        steps=tuple(_parse_step(step) for step in status.get("steps") or ()),
    )


def _parse_step(raw: Mapping[str, Any]) -> Step:
    terminated = raw.get("terminated") or {}
    return Step(
        name=raw.get("name", ""),
        container=raw.get("container", ""),
        # A container that never ran has no start: Tekton writes a step ended by a cancel or a
        # time-out as terminated, whether it had been started or not.
        has_started=bool(raw.get("running") or terminated.get("startedAt")),
        exit_code=terminated.get("exitCode"),
        reason=terminated.get("reason", ""),
    )
