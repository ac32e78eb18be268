"""Kubernetes Events of executions, built as events.k8s.io/v1 objects."""

import os
from datetime import UTC, datetime
from typing import Any, Final

from workflowexecution.api import identity
from workflowexecution.api.status import Phase, WorkflowExecutionStatus
from workflowexecution.core import names
from workflowexecution.core.observation import Execution

PIPELINE_RUN_CREATED: Final = "PipelineRunCreated"
DELETED: Final = "WorkflowExecutionDeleted"
_BY_PHASE: Final = {
    Phase.COMPLETED: ("Normal", "WorkflowCompleted", "Run"),
    Phase.FAILED: ("Warning", "WorkflowFailed", "Run"),
    Phase.SKIPPED: ("Normal", "Skipped", "Skip"),
}
_NOTE_MAX: Final = 1000


def events_for(
    execution: Execution,
    before: WorkflowExecutionStatus,
    after: WorkflowExecutionStatus,
    *,
    run_namespace: str,
    now: datetime,
) -> list[dict[str, Any]]:
    """Build the Events that a change of status calls for; none where nothing notable changed."""
    run = after.pipeline_run_ref.name if after.pipeline_run_ref else None
    related = _reference_of_run(run_namespace, run) if run else None
    events = []
    if run and before.pipeline_run_ref is None:
        note = f"created PipelineRun {run_namespace}/{run} on target {execution.target}"
        events.append(build_event(execution, PIPELINE_RUN_CREATED, note, now, related=related))
    if after.phase is not None and after.phase != before.phase and after.phase in _BY_PHASE:
        kind, reason, action = _BY_PHASE[after.phase]
        note = after.conditions[0].message
        events.append(
            build_event(execution, reason, note, now, kind=kind, action=action, related=related)
        )
    return events


def build_event(
    execution: Execution,
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
        "note": note if len(note) <= _NOTE_MAX else note[: _NOTE_MAX - 1] + "…",
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


def _reference_of_run(namespace: str, name: str) -> dict[str, str]:
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "namespace": namespace,
        "name": name,
    }
