"""Who cancelled a run with ``kubectl wfe cancel``, when and why: annotations of the run.

They are written in the request that asks Tekton to cancel it, so a run that was cancelled in
another way has none of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from workflowexecution.api import identity
from workflowexecution.api.fields import format_time
from workflowexecution.core.text import one_line

# The same lengths as in a WorkflowHold.
REASON_MAX: Final = 1024
_BY_MAX: Final = 256
KEYS: Final = (identity.CANCELLED_BY, identity.CANCELLED_AT, identity.CANCEL_REASON)


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A person's request to cancel a run, as texts of one line.

    by: not empty. at: aware UTC; None where it is not known. reason: may be empty.
    """

    by: str
    at: datetime | None
    reason: str

    def __str__(self) -> str:
        """The request in words, as the end of a sentence or alone."""
        return f"cancelled {self.by_whom}"

    @property
    def by_whom(self) -> str:
        """Who, and why."""
        return f"by {self.by}: {self.reason}" if self.reason else f"by {self.by}, without a reason"

    def annotations(self) -> Mapping[str, str | None]:
        """The annotations of a merge patch; None removes one that an earlier request has left."""
        at = format_time(self.at) if self.at else None
        return dict(zip(KEYS, (self.by, at, self.reason or None), strict=True))


def cancellation_of(by: str, at: datetime | None, reason: str) -> Cancellation | None:
    """Make one from texts of any origin, on one line and cut to length; None where nobody is named.

    Args:
        by: the name of a user, as the cluster knows them.
        at: aware UTC.
        reason: for people.
    """
    who = _bounded(by, _BY_MAX)
    return Cancellation(who, at, _bounded(reason, REASON_MAX)) if who else None


def _bounded(text: str, longest: int) -> str:
    # Cut first: an annotation may have 256 KiB.
    return " ".join(one_line(text[: 4 * longest]).split())[:longest].strip()
