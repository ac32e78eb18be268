"""Everything the operator asks of the API server, one method a request; raw dicts in and out."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from workflowexecution.api import identity
from workflowexecution.core import names
from workflowexecution.core.facts import taskrun
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.kube.client import MERGE_PATCH, ApiClient

_EXECUTIONS: Final = f"/apis/{identity.GROUP}/{identity.VERSION}"
_TEKTON: Final = "/apis/tekton.dev/v1"
_EVENTS: Final = "/apis/events.k8s.io/v1"


class Cluster:
    """Access to the objects the operator works with.

    Every method raises ApiError of the kind the answer means.
    """

    def __init__(
        self, transport: ApiClient, *, execution_namespace: str, watch_namespaces: tuple[str, ...]
    ) -> None:
        self._transport = transport
        self._execution_namespace = execution_namespace
        self._watch_namespaces = watch_namespaces

    async def check_kinds(self) -> None:
        """Ask for one object of each kind: raises what would keep the operator from working."""
        for path in (*self._execution_lists(), self._runs_path()):
            await self._transport.request("GET", path, params={"limit": "1"})

    async def list_executions(self) -> AsyncIterator[dict[str, Any]]:
        """Yield every WorkflowExecution of the watched namespaces; all, where none is named."""
        for path in self._execution_lists():
            async for item in self._transport.list_pages(path):
                yield item

    async def list_runs(self) -> AsyncIterator[dict[str, Any]]:
        """Yield every PipelineRun that was made for an execution."""
        selector = {"labelSelector": names.KEY_EXECUTION}
        async for item in self._transport.list_pages(self._runs_path(), selector):
            yield item

    async def list_task_runs(self, namespace: str, run_name: str) -> list[dict[str, Any]]:
        """All TaskRuns of a run; they may outlive it."""
        return await self._list_of_run(f"{_TEKTON}/namespaces/{namespace}/taskruns", run_name)

    async def list_pods(self, namespace: str, run_name: str) -> list[dict[str, Any]]:
        """All pods of a run; they may outlive it and its TaskRuns."""
        return await self._list_of_run(f"/api/v1/namespaces/{namespace}/pods", run_name)

    async def get_execution(self, namespace: str, name: str) -> dict[str, Any]:
        """Read one execution, live."""
        return await self._transport.request("GET", _execution_path(namespace, name))

    async def get_run(self, name: str) -> dict[str, Any]:
        """Read one run of the execution namespace, live."""
        return await self._transport.request("GET", self._run_path(name))

    async def create_run(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Create a run; AlreadyExistsError where its slot is taken."""
        return await self._transport.request("POST", self._runs_path(), body=manifest)

    async def cancel_run(self, run: Run) -> dict[str, Any]:
        """Ask Tekton to end a run; refused where the run is no longer the one that was seen."""
        patch = {"metadata": {"uid": run.uid}, "spec": {"status": "Cancelled"}}
        return await self._patch(self._run_path(run.name), patch)

    async def delete_run(self, run: Run) -> None:
        """Delete this very run, its children first."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Foreground",
            "preconditions": {"uid": run.uid},
        }
        await self._transport.request("DELETE", self._run_path(run.name), body=options)

    async def patch_status(self, execution: Execution, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Write status fields; ConflictError where the execution has changed since it was seen."""
        path = _execution_path(execution.namespace, execution.name) + "/status"
        body = {"metadata": {"resourceVersion": execution.resource_version}, "status": patch}
        return await self._patch(path, body)

    async def patch_finalizers(self, execution: Execution, finalizers: list[str]) -> dict[str, Any]:
        """Replace the finalizers; ConflictError where the execution has changed since."""
        version = execution.resource_version
        body = {"metadata": {"resourceVersion": version, "finalizers": finalizers}}
        return await self._patch(_execution_path(execution.namespace, execution.name), body)

    async def create_event(self, event: Mapping[str, Any]) -> None:
        """Record an Event; AlreadyExistsError where it has been recorded before."""
        namespace = event["metadata"]["namespace"]
        await self._transport.request(
            "POST", f"{_EVENTS}/namespaces/{namespace}/events", body=event
        )

    async def _list_of_run(self, path: str, run_name: str) -> list[dict[str, Any]]:
        selector = {"labelSelector": f"{taskrun.LABEL_PIPELINE_RUN}={run_name}"}
        return [item async for item in self._transport.list_pages(path, selector)]

    def _execution_lists(self) -> list[str]:
        prefixes = [f"/namespaces/{name}" for name in self._watch_namespaces] or [""]
        return [f"{_EXECUTIONS}{prefix}/{identity.PLURAL}" for prefix in prefixes]

    def _runs_path(self) -> str:
        return f"{_TEKTON}/namespaces/{self._execution_namespace}/pipelineruns"

    def _run_path(self, name: str) -> str:
        return f"{self._runs_path()}/{name}"

    async def _patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._transport.request("PATCH", path, body=body, content_type=MERGE_PATCH)


def _execution_path(namespace: str, name: str) -> str:
    return f"{_EXECUTIONS}/namespaces/{namespace}/{identity.PLURAL}/{name}"
