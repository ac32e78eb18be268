"""The pipeline of a run as Tekton resolved it: its tasks, and which children it can have.

It tells without a request which runs have children that are no TaskRuns, and which may have pods
that work on after the run has succeeded.
"""

import re
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class ChildKinds:
    """What has to be looked for; everything, where the pipeline is not known.

    may_outlast: whether a pod may still work when the run has succeeded: one with a sidecar, one
        of an attempt or a task whose failure did not count, or one of a task that is not shown.
    custom_runs: whether a task is a custom task.
    runs: whether a task is a pipeline.
    """

    may_outlast: bool = True
    custom_runs: bool = True
    runs: bool = True


ANY_CHILDREN: Final = ChildKinds()
_NONE: Final = ChildKinds(may_outlast=False, custom_runs=False, runs=False)


def child_kinds_of(status: Raw, *, has_failed: bool) -> ChildKinds:
    """Read a PipelineRun's status; one that failed before there was a pipeline has no children."""
    pipeline = reading.mapping(status, "pipelineSpec")
    if not pipeline:
        return _NONE if has_failed else ANY_CHILDREN
    tasks = [*reading.mappings(pipeline, "tasks"), *reading.mappings(pipeline, "finally")]
    return ChildKinds(
        may_outlast=any(map(_may_outlast, tasks)),
        custom_runs=any(map(_is_custom, tasks)),
        runs=any(map(_is_pipeline, tasks)),
    )


def _may_outlast(task: Raw) -> bool:
    has_sidecars = bool(reading.mappings(reading.mapping(task, "taskSpec"), "sidecars"))
    is_elsewhere = bool(task.get("taskRef")) and not _is_custom(task)
    may_fail = bool(task.get("retries")) or task.get("onError") == "continue"
    return has_sidecars or is_elsewhere or may_fail or _is_pipeline(task)


def _is_custom(task: Raw) -> bool:
    """Whether Tekton makes a CustomRun of it: it names both a kind and the version of that."""
    forms = (reading.mapping(task, "taskRef"), reading.mapping(task, "taskSpec"))
    return any(form.get("apiVersion") and form.get("kind") for form in forms)


def _is_pipeline(task: Raw) -> bool:
    return "pipelineRef" in task or "pipelineSpec" in task
