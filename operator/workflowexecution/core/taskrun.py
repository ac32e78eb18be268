"""TaskRuns of a run, read once it has ended badly: what each did, and how its steps ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from workflowexecution.core import reading
from workflowexecution.core.observation import succeeded_condition
from workflowexecution.core.reading import Raw

LABEL_PIPELINE_RUN: Final = "tekton.dev/pipelineRun"
LABEL_PIPELINE_TASK: Final = "tekton.dev/pipelineTask"


@dataclass(frozen=True, slots=True)
class Step:
    """One step's container.

    exit_code: None until it has terminated.
    reason: how the container ended, in Kubernetes' words.
    termination: how the step ended, in Tekton's words.
    """

    name: str
    container: str
    has_started: bool
    exit_code: int | None
    reason: str
    termination: str


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
    meta, status = raw["metadata"], reading.mapping(raw, "status")
    task_name = reading.text(reading.mapping(meta, "labels"), LABEL_PIPELINE_TASK)
    return TaskRun(
        name=meta["name"],
        task_name=task_name or meta["name"],
        succeeded=reading.text(condition, "status") or "Unknown",
        reason=reading.text(condition, "reason"),
        message=reading.text(condition, "message"),
        pod_name=reading.text(status, "podName"),
        completed_at=reading.moment(status, "completionTime"),
        steps=tuple(_parse_step(step) for step in reading.mappings(status, "steps")),
    )


def _parse_step(raw: Raw) -> Step:
    terminated = reading.mapping(raw, "terminated")
    code = terminated.get("exitCode")
    return Step(
        name=reading.text(raw, "name"),
        container=reading.text(raw, "container"),
        # A container that never ran has no start: Tekton writes a step ended by a cancel or a
        # time-out as terminated, whether it had been started or not.
        has_started=bool(raw.get("running") or terminated.get("startedAt")),
        exit_code=code if type(code) is int else None,
        reason=reading.text(terminated, "reason"),
        termination=reading.text(raw, "terminationReason"),
    )
