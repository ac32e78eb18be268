"""A WorkflowExecution, slim and immutable, parsed from what the API server holds."""

import sys
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from workflowexecution.api import identity, reading, validation
from workflowexecution.api.reading import Raw
from workflowexecution.api.status import Phase
from workflowexecution.core import names

# Of parameters, as they lie in memory: those of nearly all executions are far smaller.
PARAMETERS_KEPT: Final = 16 * 1024
_PROBLEM_MAX: Final = 4096
_META: Final = (
    *("namespace", "name", "uid", "resourceVersion"),
    *("generation", "creationTimestamp", "deletionTimestamp"),
)
# Each has a length that the definition bounds.
_SPEC: Final = ("remediationRequestRef", "workflowRef", "targetResource", "executionConfig")
# A traceparent has 55 characters, and more only behind a dash.
_TRACEPARENT_MAX: Final = 56


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


def kept(seen: Execution) -> Execution:
    """The same execution without what nothing asks for again: at most about 40 KiB.

    Parameters that are large, or are in a run already, are left out: it is not whole then, and
    tells what is wrong with its spec where that still matters.
    """
    if not seen.is_whole:
        return seen
    meta, spec = reading.mapping(seen.raw, "metadata"), reading.mapping(seen.raw, "spec")
    has_run = seen.run_name is not None
    is_whole = not has_run and bool(spec) and _is_small(spec.get("parameters"))
    problem = "" if has_run or is_whole else validation.parse_spec(seen.raw)[1]
    wanted = (*_SPEC, "parameters") if is_whole else _SPEC
    parent = reading.text(reading.mapping(meta, "annotations"), names.TRACEPARENT)
    small = {
        "metadata": {key: meta[key] for key in _META if key in meta}
        | {"annotations": {names.TRACEPARENT: parent[:_TRACEPARENT_MAX]} if parent else {}},
        "spec": {key: spec[key] for key in wanted if key in spec},
        "status": reading.mapping(seen.raw, "status"),
    }
    return replace(seen, raw=small, is_whole=is_whole, problem=problem[:_PROBLEM_MAX])


def _is_small(parameters: Any) -> bool:
    if parameters is None:
        return True
    texts = (*parameters, *parameters.values()) if isinstance(parameters, dict) else (parameters,)
    are_texts = isinstance(parameters, dict) and all(isinstance(one, str) for one in texts)
    return are_texts and sum(map(sys.getsizeof, texts)) <= PARAMETERS_KEPT
