"""Silent runs: the time to look at one, and the cause of its wait.

A run with a running step changes its status as rarely as a run that cannot begin. So after a
silent time the operator reads its TaskRuns, their pods and Events, and repeats this while it waits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw, format_time
from workflowexecution.core.facts.leftovers import with_pods
from workflowexecution.core.facts.pod import parse_pod
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import TaskRun

SILENT_AFTER: Final = timedelta(seconds=30)
_RAREST_LOOK: Final = timedelta(minutes=2)
_TIMED_OUT: Final = "PipelineRunTimeout"
# Of the pipeline, and of a task. They stay if Tekton then cannot create a task.
_RESOLVING: Final = ("ResolvingPipelineRef", "ResolvingTaskRef")
# True once the node has mounted volumes and set up the network; its problems are in Events.
_PREPARED: Final = "PodReadyToStartContainers"
_KEEP_IT_FROM_THAT: Final = (
    "FailedMount",
    "FailedAttachVolume",
    "FailedMapVolume",
    "FailedCreatePodSandBox",
    "FailedCreatePodContainer",
    "FailedPrepareDynamicResources",
    "NetworkNotReady",
)
# Tekton's message about a pod that was not prepared when its TaskRun ended.
_WAS_NOT_PREPARED: Final = f'pod status "{_PREPARED}":"False"'
# After two minutes the node also writes this, about each volume that it could not mount.
_SAYS_NO_CAUSE: Final = "Unable to attach or mount volumes: "
_NOT_RESOLVED: Final = (
    "Tekton has not resolved a bundle of it; does Tekton's resolver run, and does the registry "
    "answer it?"
)


@dataclass(frozen=True, slots=True)
class Silence:
    """The result of a look at a silent run.

    waits_for: the cause of its wait, for people; empty where none is known.
    is_at_work: whether steps of it run and no part of it waits: silence is then normal.
    """

    waits_for: str = ""
    is_at_work: bool = False


def look_interval(looks: int) -> timedelta:
    """Time until the next look, after this number of looks, while it waits."""
    return min(SILENT_AFTER * (1 << min(looks, 10)), _RAREST_LOOK)


def waits_for_resolver(run: Run) -> str:
    """The text for a run whose pipeline was never fetched; empty for others."""
    is_so = not run.task_names and run.reason in (*_RESOLVING, _TIMED_OUT)
    return _NOT_RESOLVED if is_so else ""


def may_have_waited(run: Run, task_runs: Iterable[TaskRun]) -> bool:
    """Whether a run was too late with no task at fault, so that Events may show why."""
    return run.reason == _TIMED_OUT and all(task.succeeded == "True" for task in task_runs)


def silence_of(
    run: Run, task_runs: Sequence[TaskRun], pods: Sequence[Raw], warnings: Iterable[Raw]
) -> Silence:
    """Find out the cause of a run's silence.

    Args:
        run: an active one.
        task_runs: all of it.
        pods: those of its TaskRuns; not needed where no TaskRun waits or has sidecars.
        warnings: of the pod that ``unprepared_pod`` names; where no TaskRun is active, of
            the run itself. Not needed otherwise.
    """
    waiting = waiting_tasks(with_pods(task_runs, map(parse_pod, pods)))
    if waiting:
        return Silence(_wait_of(waiting[0], pods, warnings))
    if any(task.is_active for task in task_runs):
        return Silence(is_at_work=True)
    is_resolving = run.reason in _RESOLVING
    return Silence(last_warning(warnings) or (_NOT_RESOLVED if is_resolving else ""))


def waiting_tasks(task_runs: Iterable[TaskRun]) -> list[TaskRun]:
    """Active TaskRuns without a started step in their last attempt, sorted by name."""
    waiting = [task for task in task_runs if task.is_active and not task.has_steps_that_started]
    return sorted(waiting, key=lambda task: task.name)


def unprepared_pod(waiting: Sequence[TaskRun], pods: Iterable[Raw]) -> str:
    """Name of the pod that waits for volumes or network at its node; empty for none."""
    pod = _pod_of(waiting[0], pods) if waiting else {}
    is_at_the_node = _condition(pod, "PodScheduled") == "True"
    is_unprepared = is_at_the_node and _condition(pod, _PREPARED) != "True"
    return waiting[0].pod_name if is_unprepared else ""


def was_unprepared(task_runs: Iterable[TaskRun]) -> TaskRun | None:
    """A TaskRun that ended while its pod waited for volumes or network; None for none."""
    found = [
        task
        for task in task_runs
        if task.succeeded == "False" and task.pod_name and _WAS_NOT_PREPARED in task.message
    ]
    return min(found, key=lambda task: task.name, default=None)


def words_of_node(task: TaskRun, warnings: Iterable[Raw]) -> str:
    """The cause of a task's wait, from Events of its pod; empty where they show none."""
    said = last_warning(warnings)
    return _not_begun(task, said) if said else ""


def last_warning(warnings: Iterable[Raw]) -> str:
    """The last warning, other than the one about the end itself; empty where there is none."""
    reported = [event for event in warnings if reading.text(event, "reason") != "Failed"]
    # Tekton writes two Events about a failure; that of the reconciler repeats the other at length.
    last = max(
        reported,
        key=lambda event: (
            not reading.text(event, "message").startswith(_SAYS_NO_CAUSE),
            _last_time(event),
            reading.text(event, "reason") != "InternalError",
        ),
        default={},
    )
    said = reading.text(last, "message")
    return f"{reading.text(last, 'reason')}: {said}" if said else ""


def of_preparing(warnings: Iterable[Raw], since: datetime) -> list[Raw]:
    """Warnings about a pod that keep its node from preparing it.

    Older ones are about an earlier pod of the same name.
    """
    reported = [event for event in warnings if _last_time(event) >= format_time(since)]
    return [event for event in reported if reading.text(event, "reason") in _KEEP_IT_FROM_THAT]


def _last_time(event: Raw) -> str:
    """The last time of an Event, in a form that sorts; empty where it has none."""
    return reading.text(event, "lastTimestamp") or reading.text(event, "eventTime")


def _wait_of(task: TaskRun, pods: Iterable[Raw], warnings: Iterable[Raw]) -> str:
    """The cause of a task's wait, in the text of the scheduler, of the node, or of Tekton."""
    pod = _pod_of(task, pods)
    said = (_not_scheduled(pod) or parse_pod(pod).complaint) if pod else ""
    said = said or last_warning(warnings) or task.wait
    return _not_begun(task, said or f"{task.reason}: {task.message}")


def _not_begun(task: TaskRun, said: str) -> str:
    return f"task {task.task_name!r} has not begun: {said}"


def _pod_of(task: TaskRun, pods: Iterable[Raw]) -> Raw:
    """The pod of a task; empty where it is not among these."""
    named = [(reading.text(pod, "metadata", "name"), pod) for pod in pods]
    return next((pod for name, pod in named if name and name == task.pod_name), {})


def _not_scheduled(pod: Raw) -> str:
    if _condition(pod, "PodScheduled") != "False":
        return ""
    gates = reading.mappings(pod, "spec", "schedulingGates")
    named = ", ".join(reading.text(gate, "name") for gate in gates)
    said = _condition(pod, "PodScheduled", "message")
    return f"its pod cannot be scheduled: {said}{f' ({named})' if named else ''}"


def _condition(pod: Raw, kind: str, field: str = "status") -> str:
    return reading.text(reading.item(pod, "status", "conditions", type=kind), field)
