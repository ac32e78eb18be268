"""The steps of a pod: whether Tekton lets them begin, and why Kubernetes ended the pod."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw

DEADLINE: Final = "DeadlineExceeded"
_STEP_PREFIX: Final = "step-"
_SIDECAR_PREFIX: Final = "sidecar-"
# The first step waits for this file, which holds the annotation's value.
_GATE: Final = "/tekton/downward/ready"
_READY_ANNOTATION: Final = "tekton.dev/ready"
_READY: Final = "READY"


@dataclass(frozen=True, slots=True)
class PodEnd:
    """That Kubernetes ended a pod, in its words.

    at: when it did; None where it does not tell.
    """

    reason: str
    message: str
    at: datetime | None

    def __str__(self) -> str:
        return f"Kubernetes ended its pod: {self.reason}: {self.message}"


def pod_end_of(raw: Raw) -> PodEnd | None:
    """Why Kubernetes ended a pod, or is about to; None where it did not.

    A pod that is over its deadline says so some seconds after its containers have ended.
    """
    status = reading.mapping(raw, "status")
    conditions = reading.mappings(status, "conditions")
    disruption = next((one for one in conditions if one.get("type") == "DisruptionTarget"), {})
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


def _deadline(spec: Raw, status: Raw) -> tuple[datetime | None, int]:
    seconds, started_at = spec.get("activeDeadlineSeconds"), reading.moment(status, "startTime")
    if type(seconds) is not int or started_at is None:
        return None, 0
    return started_at + timedelta(seconds=seconds), seconds


def is_held(raw: Raw) -> bool:
    """Whether Tekton has not let the first step of a pod begin; its containers run before that."""
    steps = [item for item in _containers(raw) if _is_step(item)]
    known = reading.mapping(reading.mapping(raw, "metadata"), "annotations")
    waits = bool(steps) and _GATE in (steps[0].get("args") or ())
    return waits and reading.text(known, _READY_ANNOTATION) != _READY


def unready_sidecars(raw: Raw) -> tuple[str, ...]:
    """Names of the containers beside the steps that Tekton still waits for, as tasks have them."""
    statuses = reading.mappings(reading.mapping(raw, "status"), "containerStatuses")
    return tuple(
        reading.text(item, "name").removeprefix(_SIDECAR_PREFIX)
        for item in statuses
        if not _is_step(item) and not item.get("ready") and not _has_ended(item)
    )


def _containers(raw: Raw) -> list[Raw]:
    return reading.mappings(reading.mapping(raw, "spec"), "containers")


def _is_step(item: Raw) -> bool:
    return reading.text(item, "name").startswith(_STEP_PREFIX)


def _has_ended(item: Raw) -> bool:
    return "terminated" in reading.mapping(item, "state")
