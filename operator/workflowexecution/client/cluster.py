"""All requests of the operator to the API server, one method each; raw dicts in and out."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, Protocol

from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.pod import Pod
from workflowexecution.core.facts.run import Asked, Run
from workflowexecution.core.facts.taskrun import TaskRun

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
