"""The facts of a WorkflowExecution, slim and immutable; ``decoding`` reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflowexecution.api.status import TERMINAL_PHASES, Phase


@dataclass(frozen=True, slots=True)
class Request:
    """The request that an execution belongs to; ``uid`` is empty where the reference has none."""

    namespace: str
    name: str
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Execution:
    """A WorkflowExecution as last seen.

    target_key: common to all runs on its target, see ``names.target_key``.
    former_key: the same for runs that an earlier version made.
    run_name and run_namespace: of the run that its status names; the namespace is None where the
        status has none, as in earlier versions.
    pinned_digest: the digest that its bundle is pinned to; empty where it has none.
    has_old_finalizer: whether it has the finalizer of earlier controllers.
    request: in the execution's own namespace if its reference names none; None without a name.
    raw: the whole object without managed fields; in the cache only the part that ``kept`` keeps.
    is_whole: whether its spec is complete, including all parameters.
    problem: the problem with the spec, if the spec is not there to be read again.
    has_ended: whether its phase is final.
    needs_work: whether the operator may still have to do something for it.
    """

    uid: str
    namespace: str
    name: str
    resource_version: str
    target: str
    target_key: str
    former_key: str
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
    request: Request | None = None
    is_whole: bool = True
    problem: str = ""
    # Derived once: each event and each pass reads them.
    has_ended: bool = field(init=False, compare=False, repr=False)
    needs_work: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        has_ended = self.phase in TERMINAL_PHASES
        object.__setattr__(self, "has_ended", has_ended)
        object.__setattr__(self, "needs_work", not has_ended or self.has_old_finalizer)

    def wants(self, namespace: str, name: str) -> bool:
        """Whether a run made for it is the run that its status names; true where it names none.

        The name alone is not enough: runs in two execution namespaces can have the same one.
        """
        named = (self.run_namespace or namespace, self.run_name or name)
        return named == (namespace, name)
