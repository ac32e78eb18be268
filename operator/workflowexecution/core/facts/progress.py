"""The progress of a run's tasks, from its status and Tekton's message."""

import re
from typing import Final

from workflowexecution.api import reading
from workflowexecution.api.parameters import RESERVED_PARAMETER
from workflowexecution.api.reading import Raw

_TASKS_COMPLETED: Final = re.compile(r"Tasks Completed: ([0-9]+) \(")


def count_in_message(message: str) -> int:
    """Tasks that ended, well or not; 0 where the message has no count.

    Tekton counts them in the condition's message and nowhere else: child references carry no
    outcome, and reading every TaskRun would cost a request for each change.
    """
    match = _TASKS_COMPLETED.match(message)
    return int(match[1]) if match else 0


def has_run_none(message: str) -> bool:
    """Whether Tekton says that no task has run: all were skipped, or there are none."""
    match = _TASKS_COMPLETED.match(message)
    return match is not None and int(match[1]) == 0


def undeclared_parameters(spec: Raw, status: Raw) -> tuple[str, ...]:
    """Names of a run's parameters that its pipeline does not declare; empty until resolved.

    Tekton takes them without a word, and a misspelt one leaves the default of the right one.
    """
    pipeline = reading.mapping(status, "pipelineSpec")
    known = {reading.text(item, "name") for item in reading.mappings(pipeline, "params")}
    given = {reading.text(item, "name") for item in reading.mappings(spec, "params")}
    return tuple(sorted(given - known - {RESERVED_PARAMETER, ""})) if pipeline else ()


def task_names_of(status: Raw) -> tuple[str, ...]:
    """Names of the resolved pipeline's tasks, then its finally tasks; empty until resolved."""
    pipeline = reading.mapping(status, "pipelineSpec")
    tasks = [*reading.mappings(pipeline, "tasks"), *reading.mappings(pipeline, "finally")]
    return tuple(name for task in tasks if (name := reading.text(task, "name")))


def has_finally_tasks(status: Raw) -> bool:
    """Whether the resolved pipeline has finally tasks; False until it is resolved."""
    return bool(reading.mappings(reading.mapping(status, "pipelineSpec"), "finally"))
