"""The steps of a TaskRun: which of them began, how they ended, and what they say they changed."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.core.facts.pipeline import says_unchanged
from workflowexecution.core.facts.pod import NEVER_RAN

# The entrypoint ends a step without running its command: with exit code 1 where an earlier step has
# failed, with 0 where a condition of the step itself is not met.
_SKIPPED: Final = "Skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """The container of one step.

    has_started: whether its own command may have begun.
    exit_code: None until it has terminated, and where its command never ran.
    reason: the end of the container, in Kubernetes' terms.
    termination: the end of the step, in Tekton's terms.
    complaint: why its container could not be started, in the runtime's text; empty for others.
    """

    name: str
    container: str
    has_started: bool
    exit_code: int | None
    reason: str
    termination: str
    complaint: str = ""
    finished_at: datetime | None = None

    @property
    def is_skipped(self) -> bool:
        """Whether Tekton ended it instead of running its command."""
        return self.termination == _SKIPPED

    @property
    def is_out_of_memory(self) -> bool:
        """Whether it was ended because it used more memory than its limit."""
        return self.reason == "OOMKilled"


def parse_steps(status: Raw, task_reason: str, created_at: str) -> tuple[Step, ...]:
    """All steps; no step begins after one whose container could not be started."""
    steps: list[Step] = []
    is_reached = True
    for raw in reading.mappings(status, "steps"):
        step = _parse_step(raw, task_reason, created_at)
        is_reached = is_reached and not step.complaint
        steps.append(replace(step, has_started=step.has_started and is_reached))
    return tuple(steps)


def has_denied_changes(status: Raw, steps: tuple[Step, ...]) -> bool:
    """Whether the last step that began says so; a step that Tekton cut off says nothing."""
    found = zip(reading.mappings(status, "steps"), steps, strict=True)
    begun = [raw for raw, step in found if step.has_started]
    return bool(begun) and says_unchanged(begun[-1])


def _parse_step(raw: Raw, task_reason: str, created_at: str) -> Step:
    terminated = reading.mapping(raw, "terminated")
    code = terminated.get("exitCode")
    started_at, reason = reading.text(terminated, "startedAt"), reading.text(terminated, "reason")
    # When Tekton ends a TaskRun, it writes a waiting step as terminated. The step gets the reason
    # of the TaskRun and, because the schema requires a start time, its creation time.
    never_began = reason == task_reason and started_at == created_at
    never_ran, termination = reason in NEVER_RAN, reading.text(raw, "terminationReason")
    is_skipped = termination == _SKIPPED
    has_ended = bool(started_at) and not (never_began or is_skipped)
    return Step(
        name=reading.text(raw, "name"),
        container=reading.text(raw, "container"),
        has_started=bool(raw.get("running")) or has_ended,
        exit_code=code if type(code) is int and not (never_ran or is_skipped) else None,
        reason=reason,
        termination=termination,
        finished_at=reading.moment(terminated, "finishedAt"),
        complaint=(reading.text(terminated, "message") or reason) if never_ran else "",
    )
