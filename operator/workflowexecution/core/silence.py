"""What a run waits for whose status tells nothing new: when to look, and what is said of it.

A run whose steps work changes its status as rarely as one that cannot begin, so after a while of
silence its TaskRuns, their pods and Tekton's Events are looked at; again only while it waits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.core.facts.leftovers import parse_pod
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import TaskRun

SILENT_AFTER: Final = timedelta(seconds=30)
_RAREST_LOOK: Final = timedelta(minutes=2)
_TIMED_OUT: Final = "PipelineRunTimeout"
# Of the pipeline, and of a task. Where Tekton then cannot make a task, these stay as they are.
_RESOLVING: Final = ("ResolvingPipelineRef", "ResolvingTaskRef")
_NOT_RESOLVED: Final = (
    "Tekton has not resolved a bundle of it; does Tekton's resolver run, and does the registry "
    "answer it?"
)


@dataclass(frozen=True, slots=True)
class Silence:
    """What a look at a silent run has shown.

    waits_for: for people; empty where nothing is known.
    is_at_work: whether steps of it work and nothing of it waits: silence is then as it should be.
    """

    waits_for: str = ""
    is_at_work: bool = False


def look_interval(looks: int) -> timedelta:
    """How long after so many looks the next one is due, while it waits."""
    return min(SILENT_AFTER * (1 << min(looks, 10)), _RAREST_LOOK)


def waits_for_resolver(run: Run) -> str:
    """What is said of a run whose pipeline was never fetched; empty for others."""
    is_so = not run.task_names and run.reason in (*_RESOLVING, _TIMED_OUT)
    return _NOT_RESOLVED if is_so else ""


def may_have_waited(run: Run, task_runs: Iterable[TaskRun]) -> bool:
    """Whether a run was late with no task of it to blame, so that Events may tell why."""
    return run.reason == _TIMED_OUT and all(task.succeeded == "True" for task in task_runs)


def silence_of(
    run: Run, task_runs: Sequence[TaskRun], pods: Iterable[Raw], warnings: Iterable[Raw]
) -> Silence:
    """Judge what was found of a silent run.

    Args:
        run: an active one.
        task_runs: all of it.
        pods: those of its TaskRuns; they need not be given where no TaskRun waits.
        warnings: Events of the run itself; they need not be given where a TaskRun is active.
    """
    waiting = waiting_tasks(task_runs)
    if waiting:
        return Silence(_wait_of(waiting[0], pods))
    if any(task.is_active for task in task_runs):
        return Silence(is_at_work=True)
    is_resolving = run.reason in _RESOLVING
    return Silence(last_warning(warnings) or (_NOT_RESOLVED if is_resolving else ""))


def waiting_tasks(task_runs: Iterable[TaskRun]) -> list[TaskRun]:
    """TaskRuns that are active and of which no step has begun, in the order of their names."""
    waiting = [task for task in task_runs if task.is_active and not task.has_started]
    return sorted(waiting, key=lambda task: task.name)


def last_warning(warnings: Iterable[Raw]) -> str:
    """What Tekton warned of last, other than of the end itself; empty where it has not."""
    told = [event for event in warnings if reading.text(event, "reason") != "Failed"]
    # Of each failure Tekton writes two; the one of the reconciler repeats the other in more words.
    last = max(
        told,
        key=lambda event: (
            reading.text(event, "lastTimestamp") or reading.text(event, "eventTime"),
            reading.text(event, "reason") != "InternalError",
        ),
        default={},
    )
    said = reading.text(last, "message")
    return f"{reading.text(last, 'reason')}: {said}" if said else ""


def _wait_of(task: TaskRun, pods: Iterable[Raw]) -> str:
    """Why a task has not begun: in the words of the scheduler, of the node, or of Tekton."""
    own = [pod for pod in pods if reading.text(reading.mapping(pod, "metadata"), "name")]
    pod = next((pod for pod in own if pod["metadata"]["name"] == task.pod_name), None)
    said = (_not_scheduled(pod) or parse_pod(pod).complaint) if pod else ""
    return f"task {task.task_name!r} has not begun: {said or f'{task.reason}: {task.message}'}"


def _not_scheduled(pod: Raw) -> str:
    conditions = reading.mappings(reading.mapping(pod, "status"), "conditions")
    scheduled = next((one for one in conditions if one.get("type") == "PodScheduled"), {})
    if reading.text(scheduled, "status") != "False":
        return ""
    return f"its pod cannot be scheduled: {reading.text(scheduled, 'message')}"
