"""What the operator was told to do: the part of the settings that reconciling needs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from workflowexecution.core.pipelinerun import RunTemplate


def utc_now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Durations are at least 0; a cooldown of 0 turns it off.

    progress_interval: how often, at most, progress alone is written to a running execution.
    cancel_grace: how long a cancelled run may take to stop before it is deleted.
    deadline_grace: how long after its time limit a run that Tekton does not end is given up.
    """

    cooldown: timedelta = timedelta(minutes=5)
    progress_interval: timedelta = timedelta(seconds=5)
    cancel_grace: timedelta = timedelta(minutes=2)
    deadline_grace: timedelta = timedelta(minutes=5)
    template: RunTemplate = field(default_factory=RunTemplate)
    clock: Callable[[], datetime] = utc_now
