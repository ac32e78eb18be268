"""The requests of the operator, sent to a real API server."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from workflowexecution.api import identity, reading
from workflowexecution.client.cluster import Raw
from workflowexecution.client.paths import (
    EVENTS,
    TEKTON_INFO,
    claim_paths,
    custom_runs_path,
    events_path,
    execution_path,
    execution_paths,
    holds_path,
    pods_path,
    run_path,
    runs_path,
    settings_path,
    task_runs_path,
)
from workflowexecution.core import names
from workflowexecution.core.facts.execution import Cancellation, Execution
from workflowexecution.core.facts.pod import Pod
from workflowexecution.core.facts.run import LABEL_PIPELINE_RUN, Asked, Run
from workflowexecution.core.facts.shapes import PageOfExecutions, PageOfRuns, ShapeOfExecution
from workflowexecution.core.facts.taskrun import LABEL_TASK_RUN, ChildKind, TaskRun
from workflowexecution.core.names import Shard
from workflowexecution.kube import errors
from workflowexecution.kube.answers import Decode, decode_only, decode_whole
from workflowexecution.kube.client import APPLY_PATCH, MERGE_PATCH, ApiClient

# Pods that can still execute; the others need not be sent.
_ACTIVE: Final = "status.phase!=Succeeded,status.phase!=Failed"
# A waiting step of Tekton ignores SIGTERM, so a longer grace period would only delay the end.
_POD_GRACE_S: Final = 5
_PAGES_OF_RUNS: Final = decode_only(PageOfRuns)
_PAGES_OF_EXECUTIONS: Final = decode_only(PageOfExecutions)
_EXECUTION: Final = decode_only(ShapeOfExecution)
# The first release in which a CRD can name fields for field selectors.
_OLDEST_KUBERNETES: Final = (1, 31)
# The first stable release of Tekton, with the v1 API of runs.
_OLDEST_TEKTON: Final = (1, 0)
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)\b")


class KubeCluster:
    """Sends the requests to a real API server; ``Cluster`` describes them."""

    def __init__(
        self, client: ApiClient, *, execution_namespace: str, watch_namespaces: tuple[str, ...]
    ) -> None:
        self._client = client
        self._execution_namespace = execution_namespace
        self._watch_namespaces = watch_namespaces

    async def check_kinds(self) -> None:
        """Request one object of each kind; raises the error that would stop the operator's work."""
        namespace = self._execution_namespace
        for path in (
            *execution_paths(self._watch_namespaces),
            *claim_paths(self._watch_namespaces),
            runs_path(namespace),
            holds_path(namespace),
            pods_path(namespace),
        ):
            await self._client.request("GET", path, params={"limit": "1"})

    async def versions(self) -> tuple[str, str]:
        """The versions of Kubernetes and of Tekton; empty for a Tekton that shows none.

        All users may read Tekton's version where it is installed in its usual namespace.
        """
        kubernetes = await self.kubernetes_version()
        try:
            return kubernetes, await self.tekton_version()
        except errors.ForbiddenError:
            return kubernetes, ""

    async def kubernetes_version(self) -> str:
        """The version of Kubernetes."""
        return reading.text(await self._client.request("GET", "/version"), "gitVersion")

    async def tekton_version(self) -> str:
        """The version of Tekton; empty for one that shows none."""
        try:
            info = await self._client.request("GET", TEKTON_INFO)
        except errors.NotFoundError:
            return ""
        return reading.text(info, "data", "version")

    async def publish(self, shard: Shard, text: str) -> None:
        """Write the key of one shard, and no other, in the ConfigMap of settings."""
        labels = {"labels": {names.LABEL_MANAGED_BY: names.MANAGED_BY}}
        content = {"data": {names.settings_key(shard): text}}
        await self._apply_settings(names.field_manager(shard), labels, content)

    async def read_mark(self, shard: Shard) -> str:
        """See Cluster."""
        # A patch without content changes nothing, and needs no right to read.
        path = settings_path(self._execution_namespace)
        held = await self._client.request("PATCH", path, body={}, content_type=MERGE_PATCH)
        return reading.text(held, "metadata", "annotations", names.mark_key(shard))

    async def write_mark(self, shard: Shard, text: str) -> None:
        """See Cluster."""
        mark = {"annotations": {names.mark_key(shard): text}}
        await self._apply_settings(f"{names.field_manager(shard)}-mark", mark, {})

    async def _apply_settings(
        self, manager: str, metadata: Mapping[str, Any], content: Mapping[str, Any]
    ) -> None:
        """Write what one field manager owns of the ConfigMap of settings, and nothing else."""
        namespace = self._execution_namespace
        name = {"name": names.SETTINGS_CONFIG_MAP, "namespace": namespace}
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {**name, **metadata},
            **content,
        }
        # A change by hand is replaced: the operator does not decide by it.
        query = {"fieldManager": manager, "force": "true"}
        await self._client.request(
            "PATCH", settings_path(namespace), body=body, params=query, content_type=APPLY_PATCH
        )

    async def read_published(self) -> Raw:
        """Read the ConfigMap of settings."""
        return await self._client.request("GET", settings_path(self._execution_namespace))

    async def list_executions(self) -> AsyncIterator[Raw]:
        """See Cluster."""
        for path in execution_paths(self._watch_namespaces):
            async for item in self._client.list_pages(path, decode=_PAGES_OF_EXECUTIONS):
                yield item

    async def list_runs(self) -> AsyncIterator[Raw]:
        """See Cluster."""
        path = runs_path(self._execution_namespace)
        async for item in self._client.list_pages(path, decode=_PAGES_OF_RUNS):
            yield item

    async def list_holds(self) -> AsyncIterator[Raw]:
        """See Cluster."""
        async for item in self._client.list_pages(holds_path(self._execution_namespace)):
            yield item

    async def list_claims(self, namespaces: Sequence[str] = ()) -> AsyncIterator[Raw]:
        """See Cluster."""
        for path in claim_paths(namespaces or self._watch_namespaces):
            async for item in self._client.list_pages(path):
                yield item

    async def create_claim(self, namespace: str) -> Raw:
        """See Cluster."""
        (path,) = claim_paths([namespace])
        body = {
            "apiVersion": identity.API_VERSION,
            "kind": identity.CLAIM_KIND,
            "metadata": {"name": identity.CLAIM_NAME, "namespace": namespace},
            "spec": {"executionNamespace": self._execution_namespace},
        }
        return await self._client.request("POST", path, body=body)

    async def list_active_pods(self) -> AsyncIterator[Raw]:
        """See Cluster."""
        query = {
            "labelSelector": f"{names.KEY_TARGET_HASH},{LABEL_TASK_RUN}",
            "fieldSelector": _ACTIVE,
        }
        async for item in self._client.list_pages(pods_path(self._execution_namespace), query):
            yield item

    async def list_task_runs(self, namespace: str, run_names: Sequence[str]) -> list[Raw]:
        """See Cluster."""
        return await self._list_of_runs(task_runs_path(namespace), run_names)

    async def list_pods(self, namespace: str, run_names: Sequence[str]) -> list[Raw]:
        """See Cluster."""
        # The affinity assistant's pod has the run's label too, but belongs to no TaskRun.
        return await self._list_of_runs(pods_path(namespace), run_names, LABEL_TASK_RUN)

    async def list_warnings(self, run: Run) -> list[Raw]:
        """See Cluster."""
        which = f"involvedObject.uid={run.uid},type=Warning"
        return await self._list_events(run.namespace, which)

    async def list_pod_events(self, namespace: str, name: str) -> list[Raw]:
        """See Cluster."""
        which = f"involvedObject.kind=Pod,involvedObject.name={name}"
        return await self._list_events(namespace, which)

    async def list_custom_runs(self, namespace: str, run_names: Sequence[str]) -> list[Raw]:
        """See Cluster."""
        return await self._list_of_runs(custom_runs_path(namespace), run_names)

    async def list_child_runs(self, namespace: str, run_names: Sequence[str]) -> list[Raw]:
        """See Cluster."""
        return await self._list_of_runs(runs_path(namespace), run_names)

    async def get_execution(self, namespace: str, name: str) -> Raw:
        """See Cluster."""
        path = execution_path(namespace, name)
        return await self._client.request("GET", path, decode=_EXECUTION)

    async def get_run(self, namespace: str, name: str) -> Raw:
        """See Cluster."""
        return await self._client.request("GET", run_path(namespace, name))

    async def create_run(self, manifest: Mapping[str, Any]) -> Raw:
        """See Cluster."""
        path = runs_path(manifest["metadata"]["namespace"])
        return await self._client.request("POST", path, body=manifest)

    async def cancel_run(self, run: Run, asked: Asked, by: Cancellation | None = None) -> Raw:
        """See Cluster; ``by`` is the person who asks for it, which is noted on the run."""
        notes = {"annotations": by.annotations()} if by else {}
        patch = {"metadata": {"uid": run.uid, **notes}, "spec": {"status": str(asked)}}
        return await self._patch(run_path(*run.key), patch)

    async def delete_run(self, run: Run) -> None:
        """See Cluster."""
        # Foreground deletion would first change the run and its TaskRuns. A webhook that refuses to
        # cancel the run refuses these changes too, and all of them would stay.
        await self._delete(run_path(*run.key), run.uid, propagationPolicy="Background")

    async def delete_pod(self, pod: Pod) -> None:
        """See Cluster."""
        path = f"{pods_path(pod.namespace)}/{quote(pod.name)}"
        await self._delete(path, pod.uid, gracePeriodSeconds=_POD_GRACE_S)

    async def delete_child(self, child: TaskRun) -> None:
        """See Cluster."""
        is_run = child.kind is ChildKind.RUN
        place = runs_path(child.namespace) if is_run else custom_runs_path(child.namespace)
        path = f"{place}/{quote(child.name, safe='')}"
        await self._delete(path, child.uid, propagationPolicy="Background")

    async def remove_run(self, namespace: str, name: str, uid: str) -> None:
        """See Cluster."""
        # Its TaskRuns go first: Tekton would take them for those of a later run of the same name.
        await self._delete(run_path(namespace, name), uid, propagationPolicy="Foreground")

    async def remove_execution(self, namespace: str, name: str, uid: str) -> None:
        """See Cluster."""
        await self._delete(execution_path(namespace, name), uid)

    async def patch_status(self, execution: Execution, patch: Mapping[str, Any]) -> Raw:
        """See Cluster."""
        body = {"metadata": {"resourceVersion": execution.resource_version}, "status": patch}
        path = f"{execution_path(execution.namespace, execution.name)}/status"
        return await self._patch(path, body, _EXECUTION)

    async def patch_finalizers(self, execution: Execution, finalizers: list[str]) -> Raw:
        """See Cluster."""
        version = execution.resource_version
        body = {"metadata": {"resourceVersion": version, "finalizers": finalizers}}
        path = execution_path(execution.namespace, execution.name)
        return await self._patch(path, body, _EXECUTION)

    async def create_event(self, event: Mapping[str, Any]) -> None:
        """See Cluster."""
        namespace = quote(event["metadata"]["namespace"])
        await self._client.request("POST", f"{EVENTS}/namespaces/{namespace}/events", body=event)

    async def _list_of_runs(self, path: str, run_names: Sequence[str], also: str = "") -> list[Raw]:
        which = f"{LABEL_PIPELINE_RUN} in ({','.join(run_names)})"
        selector = {"labelSelector": f"{which},{also}" if also else which}
        return [item async for item in self._client.list_pages(path, selector)]

    async def _list_events(self, namespace: str, which: str) -> list[Raw]:
        query = {"fieldSelector": which}
        return [item async for item in self._client.list_pages(events_path(namespace), query)]

    async def _patch(
        self, path: str, body: Mapping[str, Any], decode: Decode = decode_whole
    ) -> Raw:
        return await self._client.request(
            "PATCH", path, body=body, content_type=MERGE_PATCH, decode=decode
        )

    async def _delete(self, path: str, uid: str, **options: Any) -> None:
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            **options,
        }
        await self._client.request("DELETE", path, body=body)


def problem_of_versions(kubernetes: str, tekton: str) -> str:
    """Say which version is too old and what to do; empty where none is known to be.

    Args:
        kubernetes: as `/version` shows it, e.g. `v1.36.3`.
        tekton: as Tekton's own ConfigMap shows it, e.g. `v1.15.0`; other text, such as that of a
            private build, counts as new enough.
    """
    return _problem_of_version("Kubernetes", kubernetes, _OLDEST_KUBERNETES) or _problem_of_version(
        "Tekton Pipelines", tekton, _OLDEST_TEKTON
    )


def _problem_of_version(name: str, version: str, minimum: tuple[int, int]) -> str:
    found = _VERSION.match(version)
    if found is None or (int(found[1]), int(found[2])) >= minimum:
        return ""
    least = ".".join(map(str, minimum))
    return f"{name} {version} is too old; upgrade it to {least} or newer, this is tried again"
