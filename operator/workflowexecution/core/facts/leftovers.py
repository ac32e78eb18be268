"""The remaining parts of a run: its children and pods, and whether they can still execute.

Tekton calls a run ended before its pods have stopped, and leaves some pods behind for ever. The
pods of a deleted run exist much longer than the run. A target is free only when no child and no
pod of the run is active. In a pod only the workflow's own containers count: steps and sidecars.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw, parse_time
from workflowexecution.core import names
from workflowexecution.core.facts.decoding import is_own_key, parse_owner
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.pod import Pod
from workflowexecution.core.facts.run import LABEL_PIPELINE_RUN, Owner, Run
from workflowexecution.core.facts.taskrun import LABEL_RUN_UID, ChildKind, TaskRun

# By then Tekton has cancelled the TaskRuns of a failed run, so only pods are left.
SETTLED_AFTER: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Leftovers:
    """The children and pods of one run."""

    task_runs: tuple[TaskRun, ...] = ()
    pods: tuple[Pod, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether any part may still execute."""
        return any(task.is_active for task in self.task_runs) or bool(self.active_pods)

    @property
    def active_pods(self) -> tuple[Pod, ...]:
        """Pods that may still execute; first those that have not begun."""
        active = (pod for pod in self.pods if pod.is_active)
        return tuple(sorted(active, key=lambda pod: (pod.has_started, pod.name)))

    @property
    def kept_pods(self) -> tuple[Pod, ...]:
        """Pods that only foreign containers keep alive."""
        return tuple(pod for pod in self.pods if pod.kept_by and pod.deadline is None)

    @property
    def endable_children(self) -> tuple[TaskRun, ...]:
        """Active children without a pod of ours that are not being deleted yet."""
        return tuple(
            child
            for child in self.task_runs
            if child.is_active and child.kind is not ChildKind.TASK_RUN and not child.is_deleting
        )

    @property
    def has_started(self) -> bool:
        """Whether any part has begun, so that something may have been changed."""
        return self.has_pods_that_started or any(task.has_started for task in self.task_runs)

    @property
    def has_pods_that_started(self) -> bool:
        """Whether a step of an existing pod has begun."""
        return any(pod.has_started for pod in self.pods)

    @property
    def complaint(self) -> str:
        """The node's text about a step that it cannot start; empty where there is none."""
        return next((pod.complaint for pod in self.active_pods if pod.complaint), "")

    @property
    def pods_with_logs(self) -> frozenset[str]:
        """Names of the pods that exist and are not being deleted."""
        return frozenset(pod.name for pod in self.pods if pod.deadline is None)

    def describe(self) -> str:
        """The names of the parts that may still execute, for people; empty where there are none."""
        if self.active_pods:
            pods = self.active_pods
            more = f" and {len(pods) - 1} more" if len(pods) > 1 else ""
            return f"pod {pods[0].namespace}/{pods[0].name}{more}"
        task = next((task for task in self.task_runs if task.is_active), None)
        return f"{task.kind} {task.name}" if task else ""


def has_left_only_pods(run: Run, now: datetime) -> bool:
    """Whether a run that has ended can have no leftovers except pods, which the list of pods shows.

    A successful run has no other active children. The list may lack the pods of a foreign run.
    """
    is_old = run.completed_at is not None and now - run.completed_at > SETTLED_AFTER
    if run.succeeded == "True":
        return is_old or run.owner is not None
    has_others = run.children.custom_runs or run.children.runs
    return is_old and run.succeeded == "False" and not has_others


def run_name_of(raw: Raw) -> str:
    """Name of the run in the labels of a TaskRun or pod; empty where it has none."""
    labels = reading.mapping(raw, "metadata", "labels")
    return reading.text(labels, LABEL_PIPELINE_RUN)


def with_pods(children: Iterable[TaskRun], pods: Iterable[Pod]) -> tuple[TaskRun, ...]:
    """The children, each with the facts from the pod of its last attempt."""
    by_name = {pod.name: pod for pod in pods}
    return tuple(
        child
        if (pod := by_name.get(child.pod_name)) is None
        else replace(
            child,
            is_held=child.is_held or pod.is_held,
            awaits=pod.awaits or child.awaits,
            let_begin=not pod.is_held,
            is_pod_going=pod.deadline is not None,
            pod_end=pod.end,
        )
        for child in children
    )


def is_of_run(raw: Raw, run_uid: str) -> bool:
    """Whether a TaskRun or pod belongs to this very run: a later run may have the same name."""
    labelled = reading.text(raw, "metadata", "labels", LABEL_RUN_UID)
    return not labelled or not run_uid or labelled == run_uid


def run_of_pod(raw: Raw) -> Run | None:
    """The run of a pod of ours, as if the run had been deleted; None where the pod names none.

    Tekton copies the labels and annotations of a run to its pods.
    """
    meta = reading.mapping(raw, "metadata")
    labels, known = reading.mapping(meta, "labels"), reading.mapping(meta, "annotations")
    name = reading.text(labels, LABEL_PIPELINE_RUN)
    target = reading.text(known, names.KEY_TARGET) or None
    by_hash = names.target_key_of_hash(reading.text(labels, names.KEY_TARGET_HASH))
    target_key = names.target_key(target) if target else by_hash
    if not name or not target_key:
        return None
    numbered = names.parse_run_name(name)
    is_numbered = numbered is not None and is_own_key(numbered[0], target_key, target or "")
    return Run(
        name=name,
        namespace=meta["namespace"],
        uid=reading.text(labels, LABEL_RUN_UID),
        resource_version="",
        target_key=target_key,
        run_number=numbered[1] if numbered and is_numbered else 0,
        target=target,
        workflow_id=reading.text(known, names.KEY_WORKFLOW_ID) or None,
        owner=parse_owner(known) if is_numbered else None,
        created_at=parse_time(meta["creationTimestamp"]),
        is_gone=True,
    )


def unseen_run(execution: Execution, run_name: str, namespace: str) -> Run:
    """The run that a status names; it holds its target in the same way as a deleted run.

    Its ``uid`` is empty: a read of its leftovers reads the run itself first.
    """
    numbered = names.parse_run_name(run_name)
    meta = reading.mapping(execution.raw, "metadata")
    return Run(
        name=run_name,
        namespace=namespace,
        uid="",
        resource_version="",
        target_key=execution.target_key,
        run_number=numbered[1] if numbered else 0,
        target=execution.target,
        workflow_id=execution.workflow_id,
        owner=Owner(
            uid=execution.uid,
            namespace=execution.namespace,
            name=execution.name,
            request=execution.request,
        ),
        created_at=execution.started_at or parse_time(meta["creationTimestamp"]),
        is_gone=True,
    )


def seen_again(known: TaskRun | None, child: TaskRun) -> TaskRun:
    """A child in its current state, with facts that only an earlier state of its pod shows.

    The facts from the pod of an ended child are final. So are those from a pod that was being
    deleted: the node no longer updates the state of its containers. The facts about an active
    child are only those of that moment: its steps may have begun since.
    """
    if known is None or (known.uid, known.pod_name) != (child.uid, child.pod_name):
        return child
    if child.let_begin is None:
        child = replace(child, let_begin=known.let_begin)
    if known.is_active and not known.is_pod_going:
        return child
    return replace(
        child,
        is_held=known.is_held or child.is_held,
        awaits=known.awaits or child.awaits,
        pod_end=child.pod_end or known.pod_end,
    )


def has_begun(children: Iterable[TaskRun], pods: Iterable[Pod] = ()) -> bool | None:
    """Whether any part of a run has begun, so that something may have been changed.

    Args:
        children: all children that were ever seen, each as merged by ``seen_again``.
        pods: those that exist.
    Returns: None where it is not known.
    """
    if any(pod.has_started for pod in pods):
        return True
    begun = [child for child in children if child.has_started]
    is_sure = any(
        child.has_begun or child.started_before or not child.is_uncertain for child in begun
    )
    return is_sure or (None if begun else False)
