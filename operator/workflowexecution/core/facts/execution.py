"""A WorkflowExecution, slim and immutable, parsed from what the API server holds."""

from dataclasses import dataclass
from datetime import datetime

from workflowexecution.api import identity, reading
from workflowexecution.api.reading import Raw
from workflowexecution.api.status import Phase


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


def parse_execution(raw: Raw) -> Execution:
    """Read a WorkflowExecution; wrongly typed spec fields read as empty, never raise."""
    meta, spec = raw["metadata"], reading.mapping(raw, "spec")
    status = reading.mapping(raw, "status")
    phase = reading.text(status, "phase")
    known = Phase(phase) if phase in list(Phase) else None
    deleted_at = reading.moment(meta, "deletionTimestamp")
    settled = known is not None and known.is_terminal and deleted_at is None
    return Execution(
        uid=meta["uid"],
        namespace=meta["namespace"],
        name=meta["name"],
        resource_version=meta["resourceVersion"],
        target=reading.text(spec, "targetResource"),
        workflow_id=reading.text(reading.mapping(spec, "workflowRef"), "workflowId"),
        phase=known,
        run_name=reading.text(reading.mapping(status, "pipelineRunRef"), "name") or None,
        started_at=reading.moment(status, "startTime"),
        completed_at=reading.moment(status, "completionTime"),
        deleted_at=deleted_at,
        has_finalizer=identity.FINALIZER in (meta.get("finalizers") or ()),
        raw=None if settled else raw,
    )
