"""All requests of the operator to the API server, one method each; raw dicts in and out.

Several of them together read the leftovers of runs: their children of every kind, and their pods.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from workflowexecution.api import reading
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.leftovers import Leftovers, is_of_run, run_name_of, with_pods
from workflowexecution.core.facts.pod import Pod, parse_pod
from workflowexecution.core.facts.run import Asked, Run, RunKey
from workflowexecution.core.facts.taskrun import ChildKind, TaskRun, parse_child
from workflowexecution.core.names import Shard

# Names in one label selector; the limit keeps the URL short enough.
RUNS_AT_ONCE: Final = 200

Raw = dict[str, Any]


class Cluster(Protocol):
    """The requests of an operator. Each method raises the ApiError that fits the answer."""

    def list_executions(self) -> AsyncIterator[Raw]:
        """Yield every WorkflowExecution of the watched namespaces; of all, where none is named."""
        ...

    def list_runs(self) -> AsyncIterator[Raw]:
        """Yield every PipelineRun of the execution namespace."""
        ...

    def list_holds(self) -> AsyncIterator[Raw]:
        """Yield every WorkflowHold of the execution namespace."""
        ...

    def list_claims(self, namespaces: Sequence[str] = ()) -> AsyncIterator[Raw]:
        """Yield every WorkflowClaim of these namespaces.

        Without names: of the watched namespaces, or of all where the settings name none.
        """
        ...

    async def create_claim(self, namespace: str) -> Raw:
        """Claim a namespace for this installation; AlreadyExistsError where it is claimed."""
        ...

    def list_active_pods(self) -> AsyncIterator[Raw]:
        """Yield every pod that may still execute and belongs to a run of an execution."""
        ...

    async def list_task_runs(self, namespace: str, run_names: Sequence[str]) -> list[Raw]:
        """All TaskRuns of some runs; a TaskRun may outlive its run."""
        ...

    async def list_pods(self, namespace: str, run_names: Sequence[str]) -> list[Raw]:
        """All pods of the TaskRuns of some runs; a pod may outlive both."""
        ...

    async def list_warnings(self, run: Run) -> list[Raw]:
        """The Events of kind Warning about this very run."""
        ...

    async def list_pod_events(self, namespace: str, name: str) -> list[Raw]:
        """All Events about pods of this name; they outlive the pods."""
        ...

    async def list_custom_runs(self, namespace: str, run_names: Sequence[str]) -> list[Raw]:
        """All CustomRuns of some runs; none where this Tekton has no such kind."""
        ...

    async def list_child_runs(self, namespace: str, run_names: Sequence[str]) -> list[Raw]:
        """All PipelineRuns that are tasks of some runs."""
        ...

    async def get_execution(self, namespace: str, name: str) -> Raw:
        """Read one execution, live."""
        ...

    async def get_run(self, namespace: str, name: str) -> Raw:
        """Read one run, live."""
        ...

    async def create_run(self, manifest: Mapping[str, Any]) -> Raw:
        """Create a run; AlreadyExistsError where a run has that name."""
        ...

    async def cancel_run(self, run: Run, asked: Asked) -> Raw:
        """Ask Tekton to end a run; refused where another run has its name now."""
        ...

    async def delete_run(self, run: Run) -> None:
        """Delete this very run; its children are deleted after it."""
        ...

    async def delete_pod(self, pod: Pod) -> None:
        """Delete this very pod."""
        ...

    async def delete_child(self, child: TaskRun) -> None:
        """Delete this very child of a run that has ended, and the objects that it has created."""
        ...

    async def remove_run(self, namespace: str, name: str, uid: str) -> None:
        """Delete this very run, which has finished."""
        ...

    async def remove_execution(self, namespace: str, name: str, uid: str) -> None:
        """Delete this very execution, which has ended."""
        ...

    async def patch_status(self, execution: Execution, patch: Mapping[str, Any]) -> Raw:
        """Change the status of an execution; ConflictError where it has changed since then."""
        ...

    async def patch_finalizers(self, execution: Execution, finalizers: list[str]) -> Raw:
        """Replace the finalizers of an execution; ConflictError where it has changed since then."""
        ...

    async def create_event(self, event: Mapping[str, Any]) -> None:
        """Record an Event in its own namespace."""
        ...

    async def read_mark(self, shard: Shard) -> str:
        """The mark that the operators of a shard keep; empty for none."""
        ...

    async def write_mark(self, shard: Shard, text: str) -> None:
        """Keep the mark of a shard, beside the settings that its operator publishes."""
        ...


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

    def add_runs(self, found: Iterable[reading.Raw]) -> list[str]:
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

    def add(self, kind: ChildKind, found: Iterable[reading.Raw]) -> None:
        """Add children of another kind."""
        for raw in found:
            if (parent := self._parent_of(raw)) is not None:
                self._add(raw, kind, parent)

    def add_pods(self, found: Iterable[reading.Raw]) -> None:
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

    def _parent_of(self, raw: reading.Raw) -> _Member | None:
        member = self._members.get(run_name_of(raw))
        return member if member and is_of_run(raw, member.uid) else None

    def _add(self, raw: reading.Raw, kind: ChildKind, parent: _Member) -> TaskRun:
        child = parse_child(raw, kind)
        if parent.task:
            child = replace(child, task_name=parent.task, within=child.task_name)
        self._children[parent.root].append(child)
        return child
