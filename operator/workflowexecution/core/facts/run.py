"""A PipelineRun that holds or held a target, slim and immutable, parsed from what Tekton wrote."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api import reading
from workflowexecution.api.duration import parse_duration
from workflowexecution.api.fields import parse_time
from workflowexecution.api.reading import Raw
from workflowexecution.core import names

# What ``spec.status`` of a run says once its end was asked for; "PipelineRunPending" is not among.
_CANCELLED: Final = ("Cancelled", "CancelledRunFinally", "StoppedRunFinally")
_TASKS_COMPLETED: Final = re.compile(r"Tasks Completed: ([0-9]+) \(")


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
    ``timeout`` is the run's own time limit, None where it has none.
    ``is_as_pinned``: whether the bundle fetched is the one that was asked for by digest; None
    where no digest was asked for, or Tekton has not told yet.
    ``has_stopped``: False while a TaskRun or a pod may still execute, though the run has ended.
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
    timeout: timedelta | None = None
    is_as_pinned: bool | None = None

    @property
    def has_ended(self) -> bool:
        """Whether Tekton has given its verdict; its pods may still be stopping."""
        return self.succeeded in ("True", "False")

    @property
    def is_finished(self) -> bool:
        """Whether nothing of this run can change the target any more."""
        return self.succeeded == "True" or (self.succeeded == "False" and self.has_stopped)


def parse_run(raw: Raw, *, has_stopped: bool = False) -> Run | None:
    """Read a PipelineRun; None where its name is no slot of ours."""
    meta, status = raw["metadata"], reading.mapping(raw, "status")
    spec = reading.mapping(raw, "spec")
    slot = names.parse_slot(meta["name"])
    if slot is None:
        return None
    known = reading.mapping(meta, "annotations")
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
        succeeded=reading.text(condition, "status") or "Unknown",
        reason=reading.text(condition, "reason"),
        message=reading.text(condition, "message"),
        created_at=parse_time(meta["creationTimestamp"]),
        started_at=reading.moment(status, "startTime"),
        completed_at=reading.moment(status, "completionTime"),
        completed_tasks=_completed_tasks(condition),
        task_names=_task_names(status),
        is_deleting=bool(meta.get("deletionTimestamp")),
        is_cancelled=reading.text(spec, "status") in _CANCELLED,
        has_stopped=has_stopped,
        timeout=_timeout(spec),
        is_as_pinned=_is_as_pinned(spec, status),
    )


def succeeded_condition(raw: Raw) -> Raw:
    """The ``Succeeded`` condition of a Tekton object; empty where it has none yet."""
    conditions = reading.mappings(reading.mapping(raw, "status"), "conditions")
    return next((item for item in conditions if item.get("type") == "Succeeded"), {})


def _timeout(spec: Raw) -> timedelta | None:
    """The time limit of the whole run; zero means none to Tekton."""
    try:
        return parse_duration(reading.text(reading.mapping(spec, "timeouts"), "pipeline")) or None
    except ValueError:
        return None


def _is_as_pinned(spec: Raw, status: Raw) -> bool | None:
    """Compare the digest in the bundle parameter with the one Tekton says it fetched."""
    params = reading.mappings(reading.mapping(spec, "pipelineRef"), "params")
    bundle = next((item for item in params if item.get("name") == "bundle"), {})
    wanted = reading.text(bundle, "value").partition("@")[2]
    source = reading.mapping(reading.mapping(status, "provenance"), "refSource")
    fetched = reading.text(reading.mapping(source, "digest"), "sha256")
    return wanted == f"sha256:{fetched}" if wanted and fetched else None


def _owner(known: Raw) -> Owner | None:
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
    pipeline = reading.mapping(status, "pipelineSpec")
    tasks = [*reading.mappings(pipeline, "tasks"), *reading.mappings(pipeline, "finally")]
    return tuple(name for task in tasks if (name := reading.text(task, "name")))


def _completed_tasks(condition: Raw) -> int:
    """Tasks that ended, well or not.

    Tekton counts them in the condition's message and nowhere else: child references carry no
    outcome, and reading every TaskRun would cost a request for each change.
    """
    match = _TASKS_COMPLETED.match(reading.text(condition, "message"))
    return int(match[1]) if match else 0
