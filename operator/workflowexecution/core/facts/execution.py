"""The facts of a WorkflowExecution, slim and immutable, and who has cancelled it.

``decoding`` reads the facts. A ``Cancellation`` is the note of ``kubectl wfe cancel``: user, time
and reason, as annotations of the run. They are written in the request that asks Tekton to cancel
it, so a run that was cancelled in another way has none of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from workflowexecution.api import identity, reading
from workflowexecution.api.status import TERMINAL_PHASES, Phase
from workflowexecution.core.text import one_line

# The same lengths as in a WorkflowHold.
REASON_MAX: Final = 1024
_BY_MAX: Final = 256
# How far a plugin's idea of the API server's time may be behind it.
_CLOCKS_DIFFER: Final = timedelta(seconds=5)


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


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A person's request to cancel a run, as texts of one line.

    by: not empty. at: aware UTC. reason: may be empty.
    """

    by: str
    at: datetime
    reason: str

    def __str__(self) -> str:
        """The request in words, as the end of a sentence or alone."""
        return f"cancelled {self.by_whom}"

    @property
    def by_whom(self) -> str:
        """The user and the reason."""
        return f"by {self.by}: {self.reason}" if self.reason else f"by {self.by}, without a reason"

    def annotations(self) -> Mapping[str, str | None]:
        """The annotations of a merge patch; None removes one that an earlier request has left."""
        return {
            identity.CANCELLED_BY: self.by,
            identity.CANCELLED_AT: reading.format_time(self.at),
            identity.CANCEL_REASON: self.reason or None,
        }


def cancellation_of(by: str, at: datetime, reason: str) -> Cancellation:
    """Make one from texts of any origin, on one line and cut to length.

    Args:
        by: the name of a user, as the cluster knows them.
        at: aware UTC.
        reason: for people; may be empty.
    """
    return Cancellation(_bounded(by, _BY_MAX), at, _bounded(reason, REASON_MAX))


def noted_cancellation(annotations: reading.Raw, created_at: datetime) -> Cancellation | None:
    """Read the annotations of a run; None where they are of an earlier run, or name nobody.

    A rerun that somebody makes by copying a run has the annotations of that run.
    """
    by, reason = reading.texts(annotations, (identity.CANCELLED_BY,), (identity.CANCEL_REASON,))
    at = reading.moment(annotations, identity.CANCELLED_AT)
    if at is None or at < created_at - _CLOCKS_DIFFER:
        return None
    found = cancellation_of(by, at, reason)
    return found if found.by else None


def _bounded(text: str, longest: int) -> str:
    # Cut first: an annotation may have 256 KiB.
    return " ".join(one_line(text[: 4 * longest]).split())[:longest].strip()
