"""The remaining parts of a run: its children and pods, and whether they can still execute.

Tekton calls a run ended before its pods have stopped, leaves some pods behind for ever, and a
deleted run is gone long before its pods are. A target is free only when neither a child nor a pod
of the run is active. Of a pod only the workflow's own containers count: its steps and sidecars.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api import reading
from workflowexecution.api.fields import parse_time
from workflowexecution.api.reading import Raw
from workflowexecution.core import names
from workflowexecution.core.facts.pod_end import PodEnd, is_held, pod_end_of, unready_sidecars
from workflowexecution.core.facts.run import LABEL_PIPELINE_RUN, Run, parse_owner
from workflowexecution.core.facts.taskrun import LABEL_RUN_UID, NEVER_RAN, ChildKind, TaskRun

# Tekton has cancelled the TaskRuns of a run that failed longer ago than this: only pods are left.
SETTLED_AFTER: Final = timedelta(minutes=10)
_ENDED: Final = ("Succeeded", "Failed")
_STEP_PREFIX: Final = "step-"
_SIDECAR_PREFIX: Final = "sidecar-"
_TEKTONS_PREFIXES: Final = (_STEP_PREFIX, _SIDECAR_PREFIX)
# Tekton's own: it only reads results.
_NOT_THE_WORKFLOWS: Final = "sidecar-tekton-log-results"
_USUAL_WAITS: Final = ("", "PodInitializing", "ContainerCreating")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """The pod of a TaskRun.

    is_active: whether a step or a sidecar of it may still execute.
    kept_by: containers that others have put into it and that keep it where nothing else does.
    has_started: whether one of its steps has started.
    is_held: whether Tekton has not let its first step begin.
    awaits: the sidecars that are not ready; Tekton lets no step begin before they are.
    end: why Kubernetes ended it, None where it did not.
    complaint: why the node cannot start its first step or sidecar that waits, as the node says it;
        empty where it says nothing.
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
    kept_by: tuple[str, ...] = ()
    is_held: bool = False
    awaits: tuple[str, ...] = ()
    end: PodEnd | None = None


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
    def kept_pods(self) -> tuple[Pod, ...]:
        """Pods that only what others have put into them keeps."""
        return tuple(pod for pod in self.pods if pod.kept_by and pod.deadline is None)

    @property
    def endable_children(self) -> tuple[TaskRun, ...]:
        """Active children whose work no pod of ours is, and that nobody has deleted yet."""
        return tuple(
            child
            for child in self.task_runs
            if child.is_active and child.kind is not ChildKind.TASK_RUN and not child.is_deleting
        )

    @property
    def has_started(self) -> bool:
        """Whether anything has begun, so that something may have been changed."""
        return self.has_pods_that_started or any(task.has_started for task in self.task_runs)

    @property
    def has_pods_that_started(self) -> bool:
        """Whether a step of a pod that is there has begun."""
        return any(pod.has_started for pod in self.pods)

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
        return f"{task.kind} {task.name}" if task else ""


def parse_pod(raw: Raw) -> Pod:
    """Read a pod; one that is being deleted is active until its containers have ended."""
    meta, status = reading.mapping(raw, "metadata"), reading.mapping(raw, "status")
    by_name = _states(status)
    held = is_held(raw)
    is_there = reading.text(status, "phase") not in _ENDED
    is_active = is_there and _works(reading.mapping(raw, "spec"), by_name)
    kept_by = sorted(
        name
        for name, state in by_name.items()
        if "running" in state and not name.startswith(_TEKTONS_PREFIXES)
    )
    return Pod(
        name=reading.text(meta, "name"),
        namespace=reading.text(meta, "namespace"),
        uid=reading.text(meta, "uid"),
        node=reading.text(reading.mapping(raw, "spec"), "nodeName"),
        is_active=is_active,
        kept_by=tuple(kept_by) if is_there and not is_active else (),
        has_started=not held and _has_begun(reading.mapping(raw, "spec"), by_name),
        is_held=held,
        awaits=unready_sidecars(raw) if held else (),
        end=pod_end_of(raw),
        deadline=reading.moment(meta, "deletionTimestamp"),
        complaint=_complaint_of_any(by_name),
    )


def _states(status: Raw) -> dict[str, Raw]:
    """The state of each container of a pod; one of which nothing is told is not among them."""
    return {
        reading.text(item, "name"): reading.mapping(item, "state")
        for key in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
        for item in reading.mappings(status, key)
    }


def _works(spec: Raw, states: dict[str, Raw]) -> bool:
    """Whether a step or a sidecar may still execute; so may a pod that does not show its steps."""
    names_of = {
        key: [reading.text(item, "name") for item in reading.mappings(spec, key)]
        for key in ("containers", "initContainers")
    }
    main = names_of["containers"]
    if not any(name.startswith(_STEP_PREFIX) for name in main):
        return True
    if any(_is_the_workflows(name) and not _has_ended(states, name) for name in main):
        return True
    # Kubernetes starts a sidecar of its own kind again for as long as another container works.
    natives = [name for name in names_of["initContainers"] if _is_the_workflows(name)]
    is_alone = all(_has_ended(states, name) for name in main)
    return any(not (is_alone and _has_ended(states, name)) for name in natives)


def _is_the_workflows(name: str) -> bool:
    return name.startswith(_TEKTONS_PREFIXES) and name != _NOT_THE_WORKFLOWS


def _has_ended(states: dict[str, Raw], name: str) -> bool:
    return "terminated" in states.get(name, {})


def _has_begun(spec: Raw, states: dict[str, Raw]) -> bool:
    """Whether its first step may have begun, as none does before that; any where none is shown."""
    shown = [reading.text(item, "name") for item in reading.mappings(spec, "containers")]
    steps = [name for name in shown or states if name.startswith(_STEP_PREFIX)]
    return any(_has_run(states.get(name, {})) for name in (steps[:1] if shown else steps))


def _has_run(state: Raw) -> bool:
    ended = reading.mapping(state, "terminated")
    return "running" in state or (
        "terminated" in state and reading.text(ended, "reason") not in NEVER_RAN
    )


def _complaint_of_any(states: dict[str, Raw]) -> str:
    """What the node says of the first step that waits, or else of the first sidecar."""
    said = [
        *(_complaint_of(states[name]) for name in states if name.startswith(_STEP_PREFIX)),
        *(
            f"sidecar {name.removeprefix(_SIDECAR_PREFIX)!r}: {complaint}"
            for name in states
            if name.startswith(_SIDECAR_PREFIX) and (complaint := _complaint_of(states[name]))
        ),
    ]
    return next(filter(None, said), "")


def _complaint_of(state: Raw) -> str:
    """What the node says of a step that waits; that it is being made ready is no complaint."""
    waiting = reading.mapping(state, "waiting")
    is_usual = reading.text(waiting, "reason") in _USUAL_WAITS
    return "" if is_usual else reading.text(waiting, "message")


def has_left_only_pods(run: Run, now: datetime) -> bool:
    """Whether of a run that has ended no more than pods can be left, which its target's list shows.

    What succeeded has no other children at work; a pod of one that is not ours may be in no list.
    """
    is_old = run.completed_at is not None and now - run.completed_at > SETTLED_AFTER
    if run.succeeded == "True":
        return is_old or run.owner is not None
    has_others = run.children.custom_runs or run.children.runs
    return is_old and run.succeeded == "False" and not has_others


def run_name_of(raw: Raw) -> str:
    """Name of the run that a TaskRun or pod says it is of; empty where it says none."""
    labels = reading.mapping(reading.mapping(raw, "metadata"), "labels")
    return reading.text(labels, LABEL_PIPELINE_RUN)


def with_pods(children: Iterable[TaskRun], pods: Iterable[Pod]) -> tuple[TaskRun, ...]:
    """Children, each with what the pod of its last attempt tells of it."""
    by_name = {pod.name: pod for pod in pods}
    return tuple(
        child
        if (pod := by_name.get(child.pod_name)) is None
        else replace(
            child,
            is_held=child.is_held or pod.is_held,
            awaits=pod.awaits or child.awaits,
            let_begin=not pod.is_held,
            is_pod_going=pod.deadline is not None,
            pod_end=pod.end,
        )
        for child in children
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
