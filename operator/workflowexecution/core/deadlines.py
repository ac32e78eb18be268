"""Time limits for a silent or late Tekton, before that is reported or acted on.

Tekton ends a run at its time limit. If Tekton itself does not work, nobody does.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api import duration
from workflowexecution.core.facts.run import Run

# A working Tekton takes up a run within a second and ends one within a few of its limit.
_TAKE_UP: Final = timedelta(seconds=30)
_LATE: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class TektonDelay:
    """``complaint``: what Tekton has not done, empty if nothing; ``until``: when to look again."""

    complaint: str
    until: datetime | None


def tekton_delay(run: Run, *, grace: timedelta, now: datetime) -> TektonDelay:
    """Say whether an active run is doing what Tekton should have it do.

    Args:
        run: a run that has not ended.
        grace: how long after its time limit it is given up; more than 30 s.
        now: aware UTC.
    """
    if run.is_queued:
        return TektonDelay("", None)
    steps = [
        (run.waits_since + _TAKE_UP, _not_taken_up(run) if run.started_at is None else ""),
        *_late_steps(run, grace),
    ]
    said = [complaint for since, complaint in steps if complaint and now >= since]
    ahead = [since for since, _ in steps if since > now]
    return TektonDelay(said[-1] if said else "", min(ahead, default=None))


def given_up_at(run: Run, grace: timedelta) -> datetime | None:
    """When a run that still has not ended is given up; None where that never comes.

    What holds a run back may do so for as long as it likes.
    """
    if run.timeout is None or run.is_queued:
        return None
    try:
        return (run.started_at or run.waits_since) + run.timeout + grace
    except OverflowError:
        # Later than any date there is.
        return None


def _late_steps(run: Run, grace: timedelta) -> list[tuple[datetime, str]]:
    end = given_up_at(run, grace)
    if end is None or run.timeout is None:
        return []
    limit = duration.format_duration(run.timeout)
    late = (
        f"PipelineRun {run.namespace}/{run.name} is past its time limit of {limit} and Tekton "
        "has not ended it; is Tekton's controller running?"
    )
    return [(end - grace + _LATE, late), (end, late)]


def _not_taken_up(run: Run) -> str:
    return (
        f"Tekton has not taken up PipelineRun {run.namespace}/{run.name}; "
        "is Tekton's controller running?"
    )
