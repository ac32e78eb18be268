"""A WorkflowExecution, slim and immutable, as `decoding` reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflowexecution.api.status import TERMINAL_PHASES, Phase


@dataclass(frozen=True, slots=True)
class Execution:
    """A WorkflowExecution as last seen.

    target_key: what all runs on its target share, see ``names.slot_key``.
    run_name and run_namespace: of the run its status names; the namespace is None where the status
    does not tell, as statuses of earlier versions do not.
    pinned_digest: what it pins its bundle by; empty where it has none.
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
    created_at: datetime | None
    generation: int
    pinned_digest: str
    has_old_finalizer: bool
    raw: Mapping[str, Any]
    is_whole: bool = True
    problem: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether its phase is final."""
        return self.phase in TERMINAL_PHASES

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
