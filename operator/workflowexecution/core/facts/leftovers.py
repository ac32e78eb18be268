"""What is left of a run in the cluster: its TaskRuns and pods, and whether they still execute.

Tekton calls a run ended before its pods have stopped, and a deleted run is gone long before they
are: a target is free only when neither a TaskRun nor a pod of the run is active.
"""

from dataclasses import dataclass
from typing import Final

from workflowexecution.api.reading import Raw, mapping, mappings, text
from workflowexecution.core.facts.taskrun import TaskRun

_ENDED: Final = ("Succeeded", "Failed")
_STEP_PREFIX: Final = "step-"


@dataclass(frozen=True, slots=True)
class Pod:
    """The pod of a TaskRun; ``has_started``: one of its steps left waiting."""

    name: str
    is_active: bool
    has_started: bool


@dataclass(frozen=True, slots=True)
class Remains:
    """Everything found that belongs to one run."""

    task_runs: tuple[TaskRun, ...] = ()
    pods: tuple[Pod, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether anything may still execute."""
        return any(task.is_active for task in self.task_runs) or any(
            pod.is_active for pod in self.pods
        )

    @property
    def has_started(self) -> bool:
        """Whether any step has run, so that something may have been changed."""
        return any(task.has_started for task in self.task_runs) or any(
            pod.has_started for pod in self.pods
        )


def parse_pod(raw: Raw) -> Pod:
    """Read a pod; one that is being deleted is active until its containers have ended."""
    status = mapping(raw, "status")
    states = [
        mapping(item, "state")
        for item in mappings(status, "containerStatuses")
        if text(item, "name").startswith(_STEP_PREFIX)
    ]
    return Pod(
        name=text(mapping(raw, "metadata"), "name"),
        is_active=text(status, "phase") not in _ENDED,
        has_started=any("running" in state or "terminated" in state for state in states),
    )
