"""What is left of a run in the cluster: its TaskRuns and pods, and whether they can still execute.

Tekton calls a run ended before its pods have stopped, leaves some pods behind for ever, and a
deleted run is gone long before its pods are. A target is free only when neither a TaskRun nor a
pod of the run is active.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api import reading
from workflowexecution.api.fields import parse_time
from workflowexecution.api.reading import Raw
from workflowexecution.core import names
from workflowexecution.core.facts.run import Run, parse_owner
from workflowexecution.core.facts.taskrun import (
    LABEL_PIPELINE_RUN,
    LABEL_RUN_UID,
    TaskRun,
    parse_task_run,
)

# Tekton has cancelled the TaskRuns of a run that failed longer ago than this: only pods are left.
SETTLED_AFTER: Final = timedelta(minutes=10)
_ENDED: Final = ("Succeeded", "Failed")
_STEP_PREFIX: Final = "step-"
_USUAL_WAITS: Final = ("", "PodInitializing", "ContainerCreating")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """The pod of a TaskRun.

    has_started: whether one of its steps has started.
    complaint: why the node cannot start its first step that waits, as the node says it; empty where
        it says nothing.
    deadline: when Kubernetes should have ended it, None where nobody has deleted it.
    """

    name: str
    namespace: str
    uid: str
    node: str
    is_active: bool
    has_started: bool
    deadline: datetime | None
    complaint: str = ""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Everything found that belongs to one run."""

    task_runs: tuple[TaskRun, ...] = ()
    pods: tuple[Pod, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether anything may still execute."""
        return any(task.is_active for task in self.task_runs) or bool(self.active_pods)

    @property
    def active_pods(self) -> tuple[Pod, ...]:
        """Pods that may still execute, those first that have not begun."""
        active = (pod for pod in self.pods if pod.is_active)
        return tuple(sorted(active, key=lambda pod: (pod.has_started, pod.name)))

    @property
    def has_started(self) -> bool:
        """Whether any step has run, so that something may have been changed."""
        return any(task.has_started for task in self.task_runs) or any(
            pod.has_started for pod in self.pods
        )

    @property
    def complaint(self) -> str:
        """Why the node cannot start a step; empty where it says nothing."""
        return next((pod.complaint for pod in self.active_pods if pod.complaint), "")

    @property
    def pods_with_logs(self) -> frozenset[str]:
        """Names of the pods that are there and will stay."""
        return frozenset(pod.name for pod in self.pods if pod.deadline is None)

    def describe(self) -> str:
        """Name what may still execute, for people; empty where nothing does."""
        if self.active_pods:
            pods = self.active_pods
            more = f" and {len(pods) - 1} more" if len(pods) > 1 else ""
            return f"pod {pods[0].namespace}/{pods[0].name}{more}"
        task = next((task for task in self.task_runs if task.is_active), None)
        return f"TaskRun {task.name}" if task else ""


def parse_pod(raw: Raw) -> Pod:
    """Read a pod; one that is being deleted is active until its containers have ended."""
    meta, status = reading.mapping(raw, "metadata"), reading.mapping(raw, "status")
    states = [
        reading.mapping(item, "state")
        for item in reading.mappings(status, "containerStatuses")
        if reading.text(item, "name").startswith(_STEP_PREFIX)
    ]
    return Pod(
        name=reading.text(meta, "name"),
        namespace=reading.text(meta, "namespace"),
        uid=reading.text(meta, "uid"),
        node=reading.text(reading.mapping(raw, "spec"), "nodeName"),
        is_active=reading.text(status, "phase") not in _ENDED,
        has_started=any("running" in state or "terminated" in state for state in states),
        deadline=reading.moment(meta, "deletionTimestamp"),
        complaint=next(filter(None, map(_complaint_of, states)), ""),
    )


def _complaint_of(state: Raw) -> str:
    """What the node says of a step that waits; that it is being made ready is no complaint."""
    waiting = reading.mapping(state, "waiting")
    is_usual = reading.text(waiting, "reason") in _USUAL_WAITS
    return "" if is_usual else reading.text(waiting, "message")


def run_name_of(raw: Raw) -> str:
    """Name of the run that a TaskRun or pod says it is of; empty where it says none."""
    labels = reading.mapping(reading.mapping(raw, "metadata"), "labels")
    return reading.text(labels, LABEL_PIPELINE_RUN)


def leftovers_of(run_uid: str, task_runs: Iterable[Raw], pods: Iterable[Raw]) -> Leftovers:
    """What is left of a run, of TaskRuns and pods that bear its name."""
    return Leftovers(
        task_runs=tuple(parse_task_run(raw) for raw in task_runs if is_of_run(raw, run_uid)),
        pods=tuple(parse_pod(raw) for raw in pods if is_of_run(raw, run_uid)),
    )


def is_of_run(raw: Raw, run_uid: str) -> bool:
    """Whether a TaskRun or pod found by a run's name is that very run's; names are used again."""
    labelled = reading.text(
        reading.mapping(reading.mapping(raw, "metadata"), "labels"), LABEL_RUN_UID
    )
    return not labelled or not run_uid or labelled == run_uid


def run_of_pod(raw: Raw) -> Run | None:
    """The run that a pod of ours is left of, as if it had been deleted; None where it names none.

    Tekton copies the labels and annotations of a run to its pods.
    """
    meta = reading.mapping(raw, "metadata")
    labels, known = reading.mapping(meta, "labels"), reading.mapping(meta, "annotations")
    name = reading.text(labels, LABEL_PIPELINE_RUN)
    target = reading.text(known, names.KEY_TARGET) or None
    by_hash = names.slot_key_of_hash(reading.text(labels, names.KEY_TARGET_HASH))
    target_key = names.slot_key(target) if target else by_hash
    if not name or not target_key:
        return None
    slot = names.parse_slot(name)
    is_in_slot = slot is not None and slot[0] == target_key
    return Run(
        name=name,
        namespace=meta["namespace"],
        uid=reading.text(labels, LABEL_RUN_UID),
        resource_version="",
        target_key=target_key,
        slot_number=slot[1] if slot and is_in_slot else 0,
        target=target,
        workflow_id=reading.text(known, names.KEY_WORKFLOW_ID) or None,
        owner=parse_owner(known) if is_in_slot else None,
        created_at=parse_time(meta["creationTimestamp"]),
        is_gone=True,
    )
