"""The pod of a TaskRun: whether its steps may still execute, and why Kubernetes ended it.

In a pod only the workflow's own containers count: its steps and sidecars.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw

_ENDED: Final = ("Succeeded", "Failed")
_STEP_PREFIX: Final = "step-"
_SIDECAR_PREFIX: Final = "sidecar-"
_TEKTONS_PREFIXES: Final = (_STEP_PREFIX, _SIDECAR_PREFIX)
# A container of Tekton, which only reads results.
_NOT_THE_WORKFLOWS: Final = "sidecar-tekton-log-results"
_USUAL_WAITS: Final = ("", "PodInitializing", "ContainerCreating")
# Reasons of container runtimes for a container that never ran; its exit code has no meaning.
NEVER_RAN: Final = ("StartError", "ContainerCannotRun")
DEADLINE: Final = "DeadlineExceeded"
# The node writes this Event about each container that it stops; it does not say why.
STOPPED: Final = "Killing"
STOPPED_AT_WORK: Final = "its pod was deleted, evicted or killed while it worked"
# Reasons of Events about the end of a pod, the most exact first.
_ENDING_EVENTS: Final = (
    *("TaintManagerEviction", "Preempted", "Preempting", "Evicted", DEADLINE),
    STOPPED,
)
# The first step waits for this file, which has the value of the annotation.
_GATE: Final = "/tekton/downward/ready"
_READY_ANNOTATION: Final = "tekton.dev/ready"
_READY: Final = "READY"


@dataclass(frozen=True, slots=True)
class PodEnd:
    """The end of a pod by Kubernetes, with the reason in its text.

    at: the time of the end; None where none is given.
    """

    reason: str
    message: str
    at: datetime | None

    def __str__(self) -> str:
        if self.reason == STOPPED:
            return STOPPED_AT_WORK
        return f"Kubernetes ended its pod: {self.reason}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """The pod of a TaskRun.

    is_active: whether a step or a sidecar of it may still execute.
    kept_by: foreign containers that keep it alive where nothing else does.
    has_started: whether one of its steps has started.
    is_held: whether Tekton has not let its first step begin.
    awaits: the sidecars that are not ready; Tekton lets no step begin before they are.
    end: why Kubernetes ended it; None where it did not.
    complaint: why the node cannot start its first waiting step or sidecar, in the node's text;
        empty where there is none.
    deadline: when Kubernetes should have ended it; None where it is not being deleted.
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
        node=reading.text(raw, "spec", "nodeName"),
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
    """The state of each container of a pod; containers without a state are left out."""
    return {
        reading.text(item, "name"): reading.mapping(item, "state")
        for key in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
        for item in reading.mappings(status, key)
    }


def _works(spec: Raw, states: dict[str, Raw]) -> bool:
    """Whether a step or a sidecar may still execute; also true for a pod that shows no steps."""
    names_of = {
        key: [reading.text(item, "name") for item in reading.mappings(spec, key)]
        for key in ("containers", "initContainers")
    }
    main = names_of["containers"]
    if not any(name.startswith(_STEP_PREFIX) for name in main):
        return True
    if any(_is_the_workflows(name) and not _has_ended(states, name) for name in main):
        return True
    # Kubernetes restarts a native sidecar as long as another container runs.
    natives = [name for name in names_of["initContainers"] if _is_the_workflows(name)]
    is_alone = all(_has_ended(states, name) for name in main)
    return any(not (is_alone and _has_ended(states, name)) for name in natives)


def _is_the_workflows(name: str) -> bool:
    return name.startswith(_TEKTONS_PREFIXES) and name != _NOT_THE_WORKFLOWS


def _has_ended(states: dict[str, Raw], name: str) -> bool:
    return "terminated" in states.get(name, {})


def _has_begun(spec: Raw, states: dict[str, Raw]) -> bool:
    """Whether the first step may have begun, or, if the steps are not shown, any container."""
    shown = [reading.text(item, "name") for item in reading.mappings(spec, "containers")]
    steps = [name for name in shown or states if name.startswith(_STEP_PREFIX)]
    return any(_has_run(states.get(name, {})) for name in (steps[:1] if shown else steps))


def _has_run(state: Raw) -> bool:
    ended = reading.mapping(state, "terminated")
    return "running" in state or (
        "terminated" in state and reading.text(ended, "reason") not in NEVER_RAN
    )


def _complaint_of_any(states: dict[str, Raw]) -> str:
    """The node's text about the first waiting step, or else about the first waiting sidecar."""
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
    """The node's text about a waiting step; empty while the step is only being prepared."""
    waiting = reading.mapping(state, "waiting")
    is_usual = reading.text(waiting, "reason") in _USUAL_WAITS
    return "" if is_usual else reading.text(waiting, "message")


def pod_end_of(raw: Raw) -> PodEnd | None:
    """The reason why Kubernetes ended a pod, or is about to end it; None where it does not.

    A pod over its deadline shows this some seconds after its containers have ended.
    """
    status = reading.mapping(raw, "status")
    disruption = reading.item(status, "conditions", type="DisruptionTarget")
    is_disrupted = reading.text(disruption, "status") == "True"
    at = reading.moment(disruption, "lastTransitionTime") if is_disrupted else None
    due_at, limit = _deadline(reading.mapping(raw, "spec"), status)
    reason = reading.text(status, "reason")
    if reason and reading.text(status, "phase") == "Failed":
        return PodEnd(reason, reading.text(status, "message"), at or due_at)
    if is_disrupted:
        return PodEnd(reading.text(disruption, "reason"), reading.text(disruption, "message"), at)
    if due_at is None:
        return None
    return PodEnd(
        DEADLINE, f"it was active longer than its activeDeadlineSeconds of {limit}", due_at
    )


def pod_end_in(events: Iterable[Raw], since: datetime) -> PodEnd | None:
    """The reason for which a pod was ended that no longer exists; None where no Event shows it.

    Older Events are about an earlier pod of the same name.
    """
    ends = [end for event in events if (end := _end_in(event)) and end.at and end.at >= since]
    return min(ends, key=lambda end: (_ENDING_EVENTS.index(end.reason), end.at), default=None)


def _end_in(event: Raw) -> PodEnd | None:
    reason, message = reading.text(event, "reason"), reading.text(event, "message")
    if reason not in _ENDING_EVENTS or message.startswith("Cancelling"):
        return None
    # The node also stops sidecars, after the steps have ended by themselves.
    if reason == STOPPED and not message.startswith(f"Stopping container {_STEP_PREFIX}"):
        return None
    at = reading.moment(event, "lastTimestamp") or reading.moment(event, "eventTime")
    return PodEnd(reason, message, at)


def _deadline(spec: Raw, status: Raw) -> tuple[datetime | None, int]:
    seconds, started_at = spec.get("activeDeadlineSeconds"), reading.moment(status, "startTime")
    if type(seconds) is not int or started_at is None:
        return None, 0
    return started_at + timedelta(seconds=seconds), seconds


def is_held(raw: Raw) -> bool:
    """Whether Tekton holds back the first step of a pod, whose container already runs."""
    steps = [item for item in _containers(raw) if _is_step(item)]
    known = reading.mapping(raw, "metadata", "annotations")
    waits = bool(steps) and _GATE in (steps[0].get("args") or ())
    return waits and reading.text(known, _READY_ANNOTATION) != _READY


def unready_sidecars(raw: Raw) -> tuple[str, ...]:
    """Names of the sidecars that Tekton still waits for, as in the task."""
    statuses = reading.mappings(raw, "status", "containerStatuses")
    return tuple(
        reading.text(item, "name").removeprefix(_SIDECAR_PREFIX)
        for item in statuses
        if not _is_step(item) and not item.get("ready") and not _has_terminated(item)
    )


def _containers(raw: Raw) -> list[Raw]:
    return reading.mappings(raw, "spec", "containers")


def _is_step(item: Raw) -> bool:
    return reading.text(item, "name").startswith(_STEP_PREFIX)


def _has_terminated(item: Raw) -> bool:
    return "terminated" in reading.mapping(item, "state")
