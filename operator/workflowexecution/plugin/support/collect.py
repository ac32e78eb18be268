"""Reads what a support bundle has, part by part; what cannot be read is noted and stops nothing."""

import platform
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from workflowexecution import __version__
from workflowexecution.api import identity, reading
from workflowexecution.client.cluster import Raw
from workflowexecution.client.paths import events_path, execution_paths, pods_path, runs_path
from workflowexecution.client.pod_logs import read_log
from workflowexecution.core import names
from workflowexecution.kube import errors
from workflowexecution.plugin.commands.doctor import findings_of
from workflowexecution.plugin.doctor.check import OPERATOR, Installation, read_installation
from workflowexecution.plugin.gather import read_settings
from workflowexecution.plugin.rendering import as_plain
from workflowexecution.plugin.requests import cluster_of
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import Exit, explain
from workflowexecution.plugin.support import shapes
from workflowexecution.plugin.support.redaction import Redactor, Shape
from workflowexecution.settings import Settings

_LOG_LINES: Final = 5000
_METRICS_PORT: Final = 9090
_METRICS_SILENCE_S: Final = 10.0
# Both may hold a token.
_URLS: Final = ("cloudevents_sink", "traces_endpoint")
_SETTINGS: Final = {f"WFE_{name.upper()}" for name in Settings.model_fields if name not in _URLS}
_CREATED_AT: Final = ("metadata", "creationTimestamp")


class Collector:
    """Reads each part into ``files``; a text or a value for YAML, by file name.

    unread: what could not be read, and why, for people. statuses: what each of these means.
    """

    def __init__(
        self, session: Session, redactor: Redactor, *, operator_namespace: str, limit: int
    ) -> None:
        self.files: dict[str, Any] = {}
        self.unread: list[str] = []
        self.statuses: list[Exit] = []
        self._session = session
        self._redactor = redactor
        self._operator_namespace = operator_namespace
        self._limit = limit
        self._executions: list[Raw] = []
        self._installation: Installation | None = None

    @property
    def parts(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Each part and what reads it, in order: secrets are learnt before they are looked for."""
        return {
            "executions": self._read_executions,
            "runs": self._read_runs,
            "holds": self._read_holds,
            "events of executions": self._read_events,
            "events of runs": self._read_events_of_runs,
            "versions": self._read_versions,
            "settings": self._read_settings,
            "doctor": self._read_doctor,
            "operator": self._read_operator,
            "logs and metrics of the operator": self._read_operator_pods,
        }

    async def read(self, part: str) -> None:
        """Read one part; what cannot be read is noted."""
        try:
            await self.parts[part]()
        except errors.ApiError as error:
            self._note(part, error)

    def redacted(self) -> dict[str, Any]:
        """All files, without secrets."""
        plain = {name: as_plain(value) for name, value in self.files.items()}
        return {name: self._redactor.document(value) for name, value in plain.items()}

    def _note(self, what: str, error: errors.ApiError) -> None:
        status, said = explain(error)
        self.unread.append(f"{what}: {said}")
        self.statuses.append(status)

    def _add(self, name: str, items: Sequence[reading.Raw], shape: Shape) -> None:
        self.files[f"{name}.yaml"] = [self._redactor.shaped(item, shape) for item in items]

    async def _read_executions(self) -> None:
        (path,) = execution_paths(self._session.namespaces)
        found = [item async for item in self._session.client.list_pages(path)]
        found.sort(key=lambda item: reading.text(item, *_CREATED_AT), reverse=True)
        self._executions = found[: self._limit]
        for item in self._executions:
            self._redactor.learn(reading.mapping(item, "spec", "parameters"))
            self._redactor.spare(_names_in(item))
        self._add("executions", self._executions, shapes.EXECUTION)

    async def _read_runs(self) -> None:
        namespace = self._session.execution_namespace
        uids = [reading.text(item, "metadata", "uid") for item in self._executions]
        query = {"labelSelector": f"{names.KEY_EXECUTION_UID} in ({','.join(uids)})"}
        listed = self._session.client.list_pages(runs_path(namespace), query)
        runs = [item async for item in listed] if uids else []
        for run in runs:
            given = reading.mappings(run, "spec", "params")
            self._redactor.learn([item.get("value") for item in given])
        self._redactor.spare(name for run in runs for name in _names_of(run))
        self._add("runs", runs, shapes.RUN)
        of_runs = [reading.text(run, "metadata", "name") for run in runs]
        cluster = cluster_of(self._session)
        if of_runs:
            self._add(
                "task-runs", await cluster.list_task_runs(namespace, of_runs), shapes.TASK_RUN
            )
            self._add("pods", await cluster.list_pods(namespace, of_runs), shapes.POD)

    async def _read_holds(self) -> None:
        holds = [item async for item in cluster_of(self._session).list_holds()]
        self._add("holds", holds, shapes.HOLD)

    async def _read_events(self) -> None:
        found = []
        namespaces = {reading.text(item, "metadata", "namespace") for item in self._executions}
        query = {"fieldSelector": f"involvedObject.kind={identity.KIND}"}
        for namespace in sorted(namespaces):
            found += [item async for item in self._events(namespace, query)]
        self._add("events", found, shapes.EVENT)

    async def _read_events_of_runs(self) -> None:
        found = [item async for item in self._events(self._session.execution_namespace, {})]
        self._add("events-of-runs", found, shapes.EVENT)

    def _events(self, namespace: str, query: Mapping[str, str]) -> AsyncIterator[Raw]:
        return self._session.client.list_pages(events_path(namespace), query)

    async def _read_versions(self) -> None:
        found = {"plugin": __version__, "python": platform.python_version()}
        self.files["versions.yaml"] = found
        found["kubernetes"] = await cluster_of(self._session).kubernetes_version()
        found["tekton"] = await cluster_of(self._session).tekton_version()

    async def _read_settings(self) -> None:
        published = await read_settings(self._session)
        if published.lacks_right:
            self.unread.append(f"settings: {published.unknown}")
            self.statuses.append(Exit.FORBIDDEN)
        self.files["settings.yaml"] = {
            "entries": published.entries,
            "unreadable": len(published.unreadable),
            "unknown": published.unknown,
        }

    async def _read_doctor(self) -> None:
        runner = identity.DEFAULT_SERVICE_ACCOUNT
        found = await read_installation(self._session, self._operator_namespace, runner)
        self._installation = found
        lacking: list[str] = []
        self.files["doctor.yaml"] = await findings_of(self._session, found, lacking)
        self.unread += [f"doctor: {said}" for said in dict.fromkeys(lacking)]
        self.statuses += [Exit.FORBIDDEN for _ in lacking]

    async def _read_operator(self) -> None:
        if self._installation is None:
            return
        deployments = self._installation.require_deployments()
        self._add("operator", deployments, shapes.DEPLOYMENT)
        given = self._installation.settings
        self.files["operator-settings.yaml"] = {
            key: value for key, value in given.items() if key in _SETTINGS
        }

    async def _read_operator_pods(self) -> None:
        namespace = self._operator_namespace
        query = {"labelSelector": f"app.kubernetes.io/name={OPERATOR}"}
        listed = self._session.client.list_pages(pods_path(namespace), query)
        pods = [item async for item in listed]
        self._add("operator-pods", pods, shapes.POD)
        for pod in pods:
            name = reading.text(pod, "metadata", "name")
            for read, file in (
                (self._log_of, f"{name}.log"),
                (self._metrics_of, f"{name}.metrics"),
            ):
                try:
                    self.files[file] = await read(pod, name)
                except errors.ApiError as error:
                    self._note(file, error)

    async def _log_of(self, pod: Raw, name: str) -> str:
        containers = reading.mappings(pod, "spec", "containers")
        container = reading.text(containers[0], "name") if containers else ""
        lines = read_log(
            self._session.client, self._operator_namespace, name, container, _LOG_LINES
        )
        return "".join([f"{line}\n" async for line in lines])

    async def _metrics_of(self, pod: Raw, name: str) -> str:
        path = f"{pods_path(self._operator_namespace)}/{quote(name, safe='')}:{_METRICS_PORT}"
        asked = f"{path}/proxy/metrics"
        client = self._session.client
        async with client.stream(asked, {}, silence=_METRICS_SILENCE_S, with_rest=True) as lines:
            return "".join([f"{line.decode(errors='replace')}\n" async for line in lines])


def _names_of(item: Raw) -> list[str]:
    meta = reading.mapping(item, "metadata")
    return [reading.text(meta, "name"), reading.text(meta, "namespace")]


def _names_in(execution: Raw) -> list[str]:
    """Names that the bundle shows anyway, so a parameter with the same value is no secret."""
    target = reading.text(execution, "spec", "targetResource")
    workflow = reading.text(execution, "spec", "workflowRef", "workflowId")
    return [*_names_of(execution), target, workflow, *target.split("/")]
