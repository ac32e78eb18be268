"""The steps of a run that have written a log, or are writing one."""

from collections.abc import Iterable
from dataclasses import dataclass

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.core.facts.taskrun import attempts_of, parse_task_run


@dataclass(frozen=True, slots=True)
class StepLog:
    """Where the log of one step is read."""

    task: str
    step: str
    pod: str
    container: str

    @property
    def name(self) -> str:
        """`task/step`."""
        return f"{self.task}/{self.step}"


def steps_with_logs(task_runs: Iterable[Raw], task: str = "", step: str = "") -> list[StepLog]:
    """Steps that have started, of attempts at tasks in the order in which they started.

    Args:
        task_runs: of one run, in any order.
        task: only of this one; empty for all.
        step: only those of this name; empty for all.
    """
    found = []
    attempts = [attempt for raw in task_runs for attempt in attempts_of(raw)]
    for raw in sorted(attempts, key=_started):
        parsed = parse_task_run(raw)
        found += [
            StepLog(parsed.task_name, item.name, parsed.pod_name, item.container)
            for item in parsed.steps
            if parsed.pod_name
            and item.has_started
            and task in ("", parsed.task_name)
            and step in ("", item.name)
        ]
    return found


def _started(raw: Raw) -> tuple[str, str]:
    started = reading.text(reading.mapping(raw, "status"), "startTime")
    return started, reading.text(reading.mapping(raw, "metadata"), "name")
