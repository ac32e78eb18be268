"""Kubernetes Events of executions, built as events.k8s.io/v1 objects."""

import os
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from workflowexecution.api import identity
from workflowexecution.api.status import WARNINGS, Phase
from workflowexecution.api.status_model import Condition, WorkflowExecutionStatus
from workflowexecution.core import names
from workflowexecution.core.diagnosis.summary import note_of
from workflowexecution.core.facts.execution import Execution

PIPELINE_RUN_CREATED: Final = "PipelineRunCreated"
LOCK_VIOLATED: Final = "LockViolated"
LOCK_RELEASED: Final = "LockReleased"
DELETED: Final = "WorkflowExecutionDeleted"
RUN_CANCELLED: Final = "PipelineRunCancelled"
RUN_DELETED: Final = "PipelineRunDeleted"
RUN_NOT_ENDED: Final = "PipelineRunNotEnded"
POD_STUCK: Final = "PodStuck"
POD_DELETED: Final = "PodDeleted"
POD_LEFT_ALONE: Final = "PodLeftAlone"
CHILD_DELETED: Final = "ChildDeleted"
STATUS_NOT_WRITTEN: Final = "StatusNotWritten"
_BY_PHASE: Final = {
    Phase.COMPLETED: ("Normal", "WorkflowCompleted", "Run"),
    Phase.FAILED: ("Warning", "WorkflowFailed", "Run"),
    Phase.SKIPPED: ("Normal", "Skipped", "Skip"),
}
# Bytes: the API server refuses Events whose note has more than 1024 of them.
_NOTE_MAX: Final = 1000


class Named(Protocol):
    """The object that an Event names: an execution, or the owner that a run names."""

    @property
    def uid(self) -> str:
        """UID of the execution."""
        ...

    @property
    def namespace(self) -> str:
        """Namespace of the execution."""
        ...

    @property
    def name(self) -> str:
        """Name of the execution."""
        ...


def events_for(
    execution: Execution,
    before: WorkflowExecutionStatus,
    after: WorkflowExecutionStatus,
    *,
    now: datetime,
) -> list[dict[str, Any]]:
    """Build the Events that a change of status calls for; none where nothing notable changed."""
    run = after.pipeline_run_ref
    related = reference_of_run(run.namespace or "", run.name) if run else None
    events = []

    def add(kind: str, reason: str, action: str, note: str) -> None:
        event = build_event(execution, reason, note, now, kind=kind, action=action, related=related)
        events.append(event)

    if run and before.pipeline_run_ref is None:
        note = f"created PipelineRun {run.namespace}/{run.name} on target {execution.target}"
        add("Normal", PIPELINE_RUN_CREATED, "Run", note)
    for kind, status in WARNINGS:
        warned = _condition(after, kind, status)
        if warned and not _condition(before, kind, status):
            add("Warning", warned.reason, "Verify", warned.message)
    if after.phase in _BY_PHASE and after.phase != before.phase:
        add(*_BY_PHASE[after.phase], ending_of(after, execution))
    return events


def ending_of(status: WorkflowExecutionStatus, execution: Execution) -> str:
    """The outcome, without what the workflow's steps say: that may quote a parameter."""
    if status.failure_details:
        return note_of(status.failure_details, execution)
    run = status.pipeline_run_status
    conditions = [condition.message for condition in status.conditions[:1]]
    return (run and run.message) or "".join(conditions)


def _condition(status: WorkflowExecutionStatus, kind: str, value: str) -> Condition | None:
    """The condition of this type, where it has this status."""
    found = (item for item in status.conditions if item.type == kind)
    return next((item for item in found if item.status == value), None)


def build_event(
    execution: Named,
    reason: str,
    note: str,
    now: datetime,
    *,
    kind: str = "Normal",
    action: str = "Run",
    related: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Build one Event about an execution; its name makes recording it twice harmless."""
    event: dict[str, Any] = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {
            "name": names.event_name(execution.name, execution.uid, reason),
            "namespace": execution.namespace,
        },
        "eventTime": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "type": kind,
        "reason": reason,
        "action": action,
        "note": _cut(note),
        "reportingController": names.MANAGED_BY,
        "reportingInstance": os.environ.get("HOSTNAME", "wfe")[:120],
        "regarding": {
            "apiVersion": identity.API_VERSION,
            "kind": identity.KIND,
            "namespace": execution.namespace,
            "name": execution.name,
            "uid": execution.uid,
        },
    }
    return {**event, "related": related} if related else event


def _cut(note: str) -> str:
    text = note.encode()
    if len(text) <= _NOTE_MAX:
        return note
    return text[: _NOTE_MAX - len("…".encode())].decode(errors="ignore") + "…"


def reference_of_run(namespace: str, name: str) -> dict[str, str]:
    """Refer to a run from an Event."""
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "namespace": namespace,
        "name": name,
    }
