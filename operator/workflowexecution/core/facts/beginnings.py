"""The start of a run's steps, from all reads of it: the pod that showed it may be gone."""

from collections.abc import Iterable
from dataclasses import replace

from workflowexecution.core.facts.leftovers import Pod
from workflowexecution.core.facts.taskrun import TaskRun


def seen_again(known: TaskRun | None, child: TaskRun) -> TaskRun:
    """A child as it is now, with what its pod told, and may tell no more.

    What a pod told of a child that had ended is final, and so is what it told while it was being
    deleted: the node shows its containers no change any more. Of a child that was at work it only
    tells how it stood then: its steps may have begun since.
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
    """Whether anything of a run has begun, so that something may have been changed.

    Args:
        children: all of it that were ever seen, each as ``seen_again`` merges them.
        pods: those that are there.
    Returns: None where it is not known.
    """
    if any(pod.has_started for pod in pods):
        return True
    begun = [child for child in children if child.has_started]
    is_sure = any(
        child.has_begun or child.started_before or not child.is_in_doubt for child in begun
    )
    return is_sure or (None if begun else False)
