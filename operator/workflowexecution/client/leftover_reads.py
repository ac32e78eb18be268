"""Reads the leftovers of runs: their children of every kind, and their pods."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.client.cluster import Cluster
from workflowexecution.core.facts.leftovers import Leftovers, is_of_run, run_name_of, with_pods
from workflowexecution.core.facts.pod import Pod, parse_pod
from workflowexecution.core.facts.run import Run, RunKey
from workflowexecution.core.facts.taskrun import ChildKind, TaskRun, parse_child


async def read_leftovers_of(cluster: Cluster, runs: Sequence[Run]) -> dict[RunKey, Leftovers]:
    """The leftovers of some runs of one namespace, by run; at most RUNS_AT_ONCE runs."""
    namespace, families = runs[0].namespace, Families(runs)
    asked = [run.name for run in runs if run.children.runs]
    while asked:
        asked = families.add_runs(await cluster.list_child_runs(namespace, asked))
    everything, plain = families.names(), [run.name for run in runs]
    custom = [run.name for run in runs if run.children.custom_runs]
    if everything != plain:
        custom = everything
    # Pods last: a task that begins between the reads is seen by its pod.
    if custom:
        families.add(ChildKind.CUSTOM_RUN, await cluster.list_custom_runs(namespace, custom))
    families.add(ChildKind.TASK_RUN, await cluster.list_task_runs(namespace, everything))
    families.add_pods(await cluster.list_pods(namespace, everything))
    return {(namespace, name): left for name, left in families.leftovers().items()}


@dataclass(frozen=True, slots=True)
class _Member:
    """A run: its UID, its top-level run, and the task of that run which it belongs to, if any."""

    uid: str
    root: str
    task: str = ""


class Families:
    """The children and pods of some runs of one namespace, grouped by top-level run.

    An object of a run that is itself a task counts for the run above it.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self._members = {run.name: _Member(run.uid, run.name) for run in runs}
        self._children: dict[str, list[TaskRun]] = {run.name: [] for run in runs}
        self._pods: dict[str, list[Pod]] = {run.name: [] for run in runs}

    def names(self) -> list[str]:
        """Names of all these runs, and of the runs found below them."""
        return list(self._members)

    def add_runs(self, found: Iterable[Raw]) -> list[str]:
        """Add runs that are tasks; returns the names of those that are new."""
        added = []
        for raw in found:
            name = reading.text(raw, "metadata", "name")
            parent = self._parent_of(raw)
            if parent is None or name in self._members:
                continue
            child = self._add(raw, ChildKind.RUN, parent)
            self._members[name] = _Member(child.uid, parent.root, child.task_name)
            added.append(name)
        return added

    def add(self, kind: ChildKind, found: Iterable[Raw]) -> None:
        """Add children of another kind."""
        for raw in found:
            if (parent := self._parent_of(raw)) is not None:
                self._add(raw, kind, parent)

    def add_pods(self, found: Iterable[Raw]) -> None:
        """Add pods."""
        for raw in found:
            if (parent := self._parent_of(raw)) is not None:
                self._pods[parent.root].append(parse_pod(raw))

    def leftovers(self) -> dict[str, Leftovers]:
        """The leftovers, by the name of their top-level run."""
        return {
            name: Leftovers(with_pods(children, self._pods[name]), tuple(self._pods[name]))
            for name, children in self._children.items()
        }

    def _parent_of(self, raw: Raw) -> _Member | None:
        member = self._members.get(run_name_of(raw))
        return member if member and is_of_run(raw, member.uid) else None

    def _add(self, raw: Raw, kind: ChildKind, parent: _Member) -> TaskRun:
        child = parse_child(raw, kind)
        if parent.task:
            child = replace(child, task_name=parent.task, within=child.task_name)
        self._children[parent.root].append(child)
        return child
