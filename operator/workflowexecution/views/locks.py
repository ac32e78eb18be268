"""Targets that are locked now: the holder, since when, and the parts that still execute."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from workflowexecution.core import evidence
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.leftovers import Leftovers
from workflowexecution.core.facts.run import Run, RunKey, RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A target that is held.

    holder: namespace/name of the execution; of the run itself, where it is not one of ours.
    state: Active, Stopping, or Unseen where only the execution tells of its run.
    executing: for people; empty where it is not known.
    pods: `namespace/name` of those that may still execute.
    """

    target: str
    holder: str
    workflow_id: str
    since: datetime | None
    run: str
    state: str
    executing: str
    pods: tuple[str, ...]


def locks_of(
    executions: tuple[Execution, ...],
    runs: tuple[Run, ...],
    leftovers: Mapping[RunKey, Leftovers],
) -> list[Lock]:
    """Every target that is held, the one held longest first."""
    names = {run.name for run in runs}
    held = [
        (evidence.holder_of(run, _target_of(run)), run.state.value, _executing(run, leftovers))
        for run in runs
        if run.state is not RunState.FINISHED
    ]
    held += [
        (evidence.holder_by_status(item), "Unseen", ("", ()))
        for item in executions
        if item.run_name and not item.has_ended and item.run_name not in names
    ]
    held.sort(key=lambda item: evidence.start_order(item[0]))
    return [_lock(*item) for item in held]


def _lock(holder: Evidence, state: str, executing: tuple[str, tuple[str, ...]]) -> Lock:
    return Lock(
        target=holder.target,
        holder=f"{holder.namespace}/{holder.name}",
        workflow_id=holder.workflow_id,
        since=holder.started_at,
        run="/".join(filter(None, (holder.run_namespace, holder.run_name))),
        state=state,
        executing=executing[0],
        pods=executing[1],
    )


def _target_of(run: Run) -> str:
    """The target in the run's own words; what its name tells, where it does not say."""
    return run.target or f"({run.target_key})"


def _executing(run: Run, leftovers: Mapping[RunKey, Leftovers]) -> tuple[str, tuple[str, ...]]:
    left = leftovers.get(run.key, Leftovers())
    pods = tuple(f"{pod.namespace}/{pod.name}" for pod in left.active_pods)
    tasks = sorted({task.task_name for task in left.task_runs if task.is_active})
    if tasks:
        return f"task{'s' if len(tasks) > 1 else ''} {', '.join(tasks)}", pods
    if pods or run.state is RunState.STOPPING:
        return left.describe(), pods
    return run.reason, pods
