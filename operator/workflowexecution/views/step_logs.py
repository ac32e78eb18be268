"""The steps of one run: which have a log, which one failed, and why a log is gone."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import attempts_of, parse_task_run


@dataclass(frozen=True, slots=True)
class StepLog:
    """The container that has the log of a step."""

    task: str
    step: str
    pod: str
    container: str

    @property
    def name(self) -> str:
        """`task/step`."""
        return f"{self.task}/{self.step}"


def failed_step_of(execution: Execution, task_runs: Iterable[Raw]) -> StepLog | None:
    """The failed step that the status names, else the first with a non-zero exit code."""
    status = reading.mapping(execution.raw, "status")
    details = reading.mapping(status, "failureDetails")
    task, step = reading.text(details, "failedTaskName"), reading.text(details, "failedStepName")
    for found in map(parse_task_run, task_runs):
        for item in found.steps:
            is_named = (found.task_name, item.name) == (task, step)
            if found.pod_name and (is_named or (not step and item.exit_code)):
                return StepLog(found.task_name, item.name, found.pod_name, item.container)
    return None


def steps_with_logs(task_runs: Iterable[Raw], task: str = "", step: str = "") -> list[StepLog]:
    """The steps that have started; attempts of tasks are ordered by their start.

    Args:
        task_runs: of one run, in any order.
        task: only steps of this task; empty for all.
        step: only steps of this name; empty for all.
    """
    found = []
    attempts = [attempt for raw in task_runs for attempt in attempts_of(raw)]
    for raw in sorted(attempts, key=_started_at):
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


def _started_at(raw: Raw) -> tuple[str, str]:
    started = reading.text(raw, "status", "startTime")
    return started, reading.text(raw, "metadata", "name")


def unknown_name(run: Run | None, task_runs: Iterable[Raw], task: str, step: str) -> str:
    """The reason why no log can have this task or step, for people; empty where one may have it.

    Args:
        run: None where there is none.
        task_runs: of that run, in any order.
        task: the one that is asked for; empty for any.
        step: the same.
    """
    if run is None:
        return ""
    steps: dict[str, list[str]] = {}
    for raw in chain.from_iterable(map(attempts_of, task_runs)):
        parsed = parse_task_run(raw)
        planned = reading.mappings(raw, "status", "taskSpec", "steps")
        found = [reading.text(item, "name") for item in planned]
        names = steps.setdefault(parsed.task_name, [])
        names += [name for name in (*found, *(item.name for item in parsed.steps)) if name]
    tasks = tuple(dict.fromkeys((*run.task_names, *steps)))
    if task and tasks and task not in tasks:
        return f"no task {task!r} is in {_called(run)}; its tasks are {_listed(tasks)}"
    chosen = [task] if task else tasks
    of_chosen = [name for one in chosen for name in steps.get(one, ())]
    has_all = run.succeeded in ("True", "False") or all(map(steps.get, chosen))
    if not step or step in of_chosen or not of_chosen or not has_all:
        return ""
    where = f"task {task!r} of " if task else ""
    return f"no step {step!r} is in {where}{_called(run)}; its steps are {_listed(of_chosen)}"


def _called(run: Run) -> str:
    return f"PipelineRun {run.namespace}/{run.name}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def running_steps(task_runs: Iterable[Raw]) -> list[StepLog]:
    """The steps that are running; they write more until they end."""
    return [
        StepLog(task.task_name, item.name, task.pod_name, item.container)
        for task in map(parse_task_run, task_runs)
        for item in task.steps
        if task.pod_name and item.has_started and item.exit_code is None and not item.reason
    ]


def why_no_log(run: Run | None, task_runs: Iterable[Raw], pod: str) -> str:
    """The reason why the pod of a task, and its log with it, is gone, for people.

    Args:
        run: None where it cannot be read.
        task_runs: of that run, in any order.
        pod: its name.
    """
    tasks = map(parse_task_run, chain.from_iterable(map(attempts_of, task_runs)))
    reason = next((task.reason for task in tasks if task.pod_name == pod), "")
    if reason == "TaskRunCancelled":
        by = f" {run.cancellation.by_whom}" if run and run.cancellation else ""
        return f"it is gone: Tekton deleted the pod when the run was cancelled{by}"
    if reason == "TaskRunTimeout":
        return "it is gone: Tekton deleted the pod when the time limit was over"
    return "it is gone: the pod is deleted"
