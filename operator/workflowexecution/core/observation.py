"""Slim, immutable records of the objects decisions are made from, parsed from API dicts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from workflowexecution.api import identity
from workflowexecution.api.fields import parse_time
from workflowexecution.api.status import Phase
from workflowexecution.core import names

Raw = Mapping[str, Any]

_TASKS_COMPLETED: Final = re.compile(r"Tasks Completed: ([0-9]+) \(")


@dataclass(frozen=True, slots=True)
class Execution:
    """A WorkflowExecution as last seen.

    ``raw`` is the whole object while something may still be done for it, else None.
    """

    uid: str
    namespace: str
    name: str
    resource_version: str
    target: str
    workflow_id: str
    phase: Phase | None
    run_name: str | None
    started_at: datetime | None
    completed_at: datetime | None
    deleted_at: datetime | None
    has_finalizer: bool
    raw: Raw | None

    @property
    def is_deleting(self) -> bool:
        """Whether somebody has asked for its end."""
        return self.deleted_at is not None


@dataclass(frozen=True, slots=True)
class Owner:
    """The execution a run was made for, as the run itself says."""

    uid: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Run:
    """A PipelineRun that holds, or held, a target.

    ``succeeded`` is the status of Tekton's condition: "True", "False" or "Unknown".
    ``target`` and ``workflow_id`` are None where the run does not tell.
    ``has_stopped``: False while a child TaskRun may still execute, though the run has ended.
    """

    name: str
    namespace: str
    uid: str
    resource_version: str
    slot_key: str
    slot_number: int
    target: str | None
    workflow_id: str | None
    owner: Owner | None
    succeeded: str
    reason: str
    message: str
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    completed_tasks: int
    task_names: tuple[str, ...]
    is_deleting: bool
    is_cancelled: bool
    has_stopped: bool

    @property
    def has_ended(self) -> bool:
        """Whether Tekton has given its verdict; its pods may still be stopping."""
        return self.succeeded in ("True", "False")

    @property
    def is_finished(self) -> bool:
        """Whether nothing of this run can change the target any more."""
        return self.succeeded == "True" or (self.succeeded == "False" and self.has_stopped)


def parse_execution(raw: Raw) -> Execution:
    """Read a WorkflowExecution; wrongly typed spec fields read as empty, never raise."""
    meta, spec, status = raw["metadata"], _mapping(raw, "spec"), _mapping(raw, "status")
    phase = status.get("phase")
    known = Phase(phase) if phase in list(Phase) else None
    deleted_at = _time(meta, "deletionTimestamp")
    settled = known is not None and known.is_terminal and deleted_at is None
    return Execution(
        uid=meta["uid"],
        namespace=meta["namespace"],
        name=meta["name"],
        resource_version=meta["resourceVersion"],
        target=_text(spec, "targetResource"),
        workflow_id=_text(_mapping(spec, "workflowRef"), "workflowId"),
        phase=known,
        run_name=_text(_mapping(status, "pipelineRunRef"), "name") or None,
        started_at=_time(status, "startTime"),
        completed_at=_time(status, "completionTime"),
        deleted_at=deleted_at,
        has_finalizer=identity.FINALIZER in meta.get("finalizers", ()),
        raw=None if settled else raw,
    )


def parse_run(raw: Raw, *, has_stopped: bool = False) -> Run | None:
    """Read a PipelineRun; None where its name is no slot of ours."""
    meta, spec, status = raw["metadata"], _mapping(raw, "spec"), _mapping(raw, "status")
    slot = names.parse_slot(meta["name"])
    if slot is None:
        return None
    known = meta.get("annotations") or {}
    condition = succeeded_condition(raw)
    return Run(
        name=meta["name"],
        namespace=meta["namespace"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        slot_key=slot[0],
        slot_number=slot[1],
        target=known.get(names.KEY_TARGET),
        workflow_id=known.get(names.KEY_WORKFLOW_ID),
        owner=_owner(known),
        succeeded=condition.get("status", "Unknown"),
        reason=condition.get("reason", ""),
        message=condition.get("message", ""),
        created_at=parse_time(meta["creationTimestamp"]),
        started_at=_time(status, "startTime"),
        completed_at=_time(status, "completionTime"),
        completed_tasks=_completed_tasks(condition),
        task_names=_task_names(status),
        is_deleting=bool(meta.get("deletionTimestamp")),
        is_cancelled=bool(spec.get("status")),
        has_stopped=has_stopped,
    )


def succeeded_condition(raw: Raw) -> Mapping[str, str]:
    """The ``Succeeded`` condition of a Tekton object; empty where it has none yet."""
    conditions = _mapping(raw, "status").get("conditions") or ()
    return next((item for item in conditions if item.get("type") == "Succeeded"), {})


def _owner(known: Mapping[str, str]) -> Owner | None:
    uid = known.get(names.KEY_EXECUTION_UID)
    if not uid:
        return None
    return Owner(
        uid=uid,
        namespace=known.get(names.KEY_SOURCE_NAMESPACE, ""),
        name=known.get(names.KEY_EXECUTION, ""),
    )


def _task_names(status: Raw) -> tuple[str, ...]:
    """Names of the resolved pipeline's tasks, then its finally tasks; empty until resolved."""
    pipeline = _mapping(status, "pipelineSpec")
    tasks = [*(pipeline.get("tasks") or ()), *(pipeline.get("finally") or ())]
    return tuple(task["name"] for task in tasks)


def _completed_tasks(condition: Mapping[str, str]) -> int:
    """Tasks that ended, well or not.

    Tekton counts them in the condition's message and nowhere else: child references carry no
    outcome, and reading every TaskRun would cost a request for each change.
    """
    match = _TASKS_COMPLETED.match(condition.get("message", ""))
    return int(match[1]) if match else 0


def _mapping(raw: Raw, key: str) -> Raw:
    value = raw.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(raw: Raw, key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def _time(raw: Raw, key: str) -> datetime | None:
    value = raw.get(key)
    return parse_time(value) if value else None
