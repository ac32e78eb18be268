"""The note of ``kubectl wfe cancel`` on a run: user, time and reason, as annotations of the run.

They are written in the request that asks Tekton to cancel it, so a run that was cancelled in
another way has none of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api import identity, reading
from workflowexecution.api.duration import format_time
from workflowexecution.core.text import one_line

# The same lengths as in a WorkflowHold.
REASON_MAX: Final = 1024
_BY_MAX: Final = 256
# How far a plugin's idea of the API server's time may be behind it.
_CLOCKS_DIFFER: Final = timedelta(seconds=5)


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
            identity.CANCELLED_AT: format_time(self.at),
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
