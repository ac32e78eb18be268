"""A WorkflowExecution, slim and immutable, parsed from what the API server holds."""

from dataclasses import dataclass
from datetime import datetime

from workflowexecution.api import identity, reading
from workflowexecution.api.reading import Raw
from workflowexecution.api.status import Phase
from workflowexecution.core import names


@dataclass(frozen=True, slots=True)
class Execution:
    """A WorkflowExecution as last seen.

    target_key: what all runs on its target share, see ``names.slot_key``.
    run_name and run_namespace: of the run its status names; the namespace is None where the status
    does not tell, as statuses of earlier versions do not.
    has_old_finalizer: whether it carries the finalizer of earlier controllers.
    raw: the whole object, without what the API server notes of who wrote which field; in the cache
        no more of it than ``kept`` keeps.
    is_whole: whether its spec is there as it was written, parameters and all.
    problem: what is wrong with the spec, where that is not there to be read again.
    """

    uid: str
    namespace: str
    name: str
    resource_version: str
    target: str
    target_key: str
    workflow_id: str
    phase: Phase | None
    run_name: str | None
    run_namespace: str | None
    started_at: datetime | None
    completed_at: datetime | None
    is_deleting: bool
    has_old_finalizer: bool
    raw: Raw
    is_whole: bool = True
    problem: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether its phase is final."""
        return self.phase is not None and self.phase.is_terminal

    def wants(self, namespace: str, name: str) -> bool:
        """Whether a run made for it is the one that its status names; any, where it names none.

        The name alone does not tell: in two execution namespaces two runs have the same one.
        """
        named = (self.run_namespace or namespace, self.run_name or name)
        return named == (namespace, name)

    @property
    def needs_work(self) -> bool:
        """Whether anything may still be done for it."""
        return not self.has_ended or self.has_old_finalizer


def parse_execution(raw: Raw) -> Execution:
    """Read a WorkflowExecution; wrongly typed spec fields read as empty, never raise."""
    meta, spec = raw["metadata"], reading.mapping(raw, "spec")
    status = reading.mapping(raw, "status")
    phase, run = reading.text(status, "phase"), reading.mapping(status, "pipelineRunRef")
    target = reading.text(spec, "targetResource")
    return Execution(
        uid=meta["uid"],
        namespace=meta["namespace"],
        name=meta["name"],
        resource_version=meta["resourceVersion"],
        target=target,
        target_key=names.slot_key(target),
        workflow_id=reading.text(reading.mapping(spec, "workflowRef"), "workflowId"),
        phase=Phase(phase) if phase in list(Phase) else None,
        run_name=reading.text(run, "name") or None,
        run_namespace=reading.text(run, "namespace") or None,
        started_at=reading.moment(status, "startTime"),
        completed_at=reading.moment(status, "completionTime"),
        is_deleting=bool(meta.get("deletionTimestamp")),
        has_old_finalizer=identity.OLD_FINALIZER in (meta.get("finalizers") or ()),
        raw={**raw, "metadata": {key: meta[key] for key in meta if key != "managedFields"}},
    )
