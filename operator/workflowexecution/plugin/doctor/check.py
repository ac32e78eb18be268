"""Input and output of each check: an installation, and findings."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.core.names import Shard, parse_shard, parts_of
from workflowexecution.kube import errors
from workflowexecution.plugin.gather import read_settings
from workflowexecution.plugin.session import Session
from workflowexecution.views.published import OperatorSettings

# The shipped name of the ServiceAccount and the Deployment, and a label of the Deployment.
OPERATOR: Final = "workflowexecution-controller"
_LABELLED: Final = {"labelSelector": f"app.kubernetes.io/name={OPERATOR}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An installation of the operator: its namespaces, runner account and Deployments.

    deployments: of the operator, one for each shard; empty where there are none, or `refused`.
    settings: environment variables of the first Deployment.
    refused: the refusal to list Deployments; None where they were listed.
    published: the settings and the state that the operators have published.
    """

    execution_namespace: str
    operator_namespace: str
    runner: str
    deployments: Sequence[Raw] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    refused: errors.MissingRightError | None = None
    published: OperatorSettings = field(default_factory=OperatorSettings)
    _namespaces: dict[str, asyncio.Future[Raw]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    async def read_namespace(self, session: Session, name: str) -> Raw:
        """A namespace, asked for once for all checks. Raises: ApiError, each time the same one."""
        if name not in self._namespaces:
            path = f"/api/v1/namespaces/{quote(name, safe='')}"
            self._namespaces[name] = asyncio.ensure_future(session.client.request("GET", path))
        return await self._namespaces[name]

    def require_deployments(self) -> Sequence[Raw]:
        """The Deployments. Raises: MissingRightError where they could not be listed."""
        if self.refused:
            raise self.refused
        return self.deployments

    @property
    def account(self) -> str:
        """The operator's ServiceAccount; that of the manifests, if no Deployment is known."""
        return self._first("spec", "template", "spec", "serviceAccountName")

    @property
    def deployment(self) -> str:
        """The name of the first Deployment; that of the manifests, if none is known."""
        return self._first("metadata", "name")

    def _first(self, *place: str) -> str:
        found = reading.text(self.deployments[0], *place) if self.deployments else ""
        return found or OPERATOR

    @property
    def shards(self) -> list[Shard]:
        """The shards of the Deployments; one for all targets, if none are known."""
        return [shard_of(item) for item in self.deployments] or [Shard()]

    @property
    def runs_in(self) -> str:
        """The execution namespace of the Deployments; that of the command, if none is known."""
        return self.settings.get("WFE_EXECUTION_NAMESPACE", self.execution_namespace)

    @property
    def watched(self) -> tuple[str, ...]:
        """Namespaces whose executions the operator serves; empty for all."""
        # What is published in another execution namespace is not by these Deployments.
        newest = self.published.newest if self.runs_in == self.execution_namespace else None
        if newest and newest.settings.watch_namespaces is not None:
            return newest.settings.watch_namespaces
        names = self.settings.get("WFE_WATCH_NAMESPACES", "").split(",")
        return tuple(name.strip() for name in names if name.strip())


async def read_installation(session: Session, operator_namespace: str, runner: str) -> Installation:
    """Find an installation. Raises: ApiError where the cluster does not answer."""
    deployments, refused = await _deployments(session, operator_namespace)
    return Installation(
        execution_namespace=session.execution_namespace,
        operator_namespace=operator_namespace,
        runner=runner,
        deployments=deployments,
        settings=environment_of(deployments[0]) if deployments else {},
        refused=refused,
        published=await read_settings(session),
    )


async def _deployments(
    session: Session, namespace: str
) -> tuple[list[Raw], errors.MissingRightError | None]:
    path = f"/apis/apps/v1/namespaces/{quote(namespace, safe='')}/deployments"
    try:
        return [item async for item in session.client.list_pages(path, _LABELLED)], None
    except errors.MissingRightError as error:
        return [], error


def shard_of(deployment: Raw) -> Shard:
    """The shard of a Deployment's operator; that of all targets, if it is not valid."""
    try:
        return parse_shard(environment_of(deployment).get("WFE_SHARD") or "1/1")
    except ValueError:
        # The operator does not start with it, which `check_operator` reports.
        return Shard()


def missing_shards(shards: Collection[Shard]) -> list[Shard]:
    """The shards without an operator; none where those of any number are complete.

    While the number changes, there are shards of several numbers.
    """
    missing = {
        of: [one for one in parts_of(of) if one not in shards] for of in {one.of for one in shards}
    }
    return missing[max(missing)] if missing and all(missing.values()) else []


def environment_of(deployment: Raw) -> dict[str, str]:
    """The environment variables with a literal value, of the Deployment's first container."""
    template = reading.mapping(deployment, "spec", "template")
    containers = reading.mappings(template, "spec", "containers")
    variables = reading.mappings(containers[0], "env") if containers else []
    return {
        reading.text(item, "name"): item["value"]
        for item in variables
        if isinstance(item.get("value"), str)
    }


class State(StrEnum):
    """The result of a check. Only an error prevents executions from running."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of a check; `fix` says what to do, empty where nothing is."""

    check: str
    state: State
    detail: str
    fix: str = ""


def ok(check: str, detail: str) -> Finding:
    """A finding without a problem."""
    return Finding(check, State.OK, detail)


def warning(check: str, detail: str, fix: str) -> Finding:
    """A finding that may be a mistake."""
    return Finding(check, State.WARNING, detail, fix)


def unknown(check: str, detail: str, fix: str) -> Finding:
    """A finding that something could not be learnt."""
    return Finding(check, State.UNKNOWN, detail, fix)


def error(check: str, detail: str, fix: str) -> Finding:
    """A finding that prevents executions from running."""
    return Finding(check, State.ERROR, detail, fix)
