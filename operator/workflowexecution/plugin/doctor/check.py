"""Input and output of each check: the place of an installation, and findings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.core.names import Shard, parse_shard
from workflowexecution.kube import errors
from workflowexecution.plugin.session import Session

# Name of the ServiceAccount and the Deployment as they are shipped, and a label of the latter.
OPERATOR: Final = "workflowexecution-controller"
_LABELLED: Final = {"labelSelector": f"app.kubernetes.io/name={OPERATOR}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What checks need to know.

    deployments: of the operator, one for each shard; None where they cannot be read.
    told: settings in the first one's environment, by variable.
    """

    execution_namespace: str
    operator_namespace: str
    runner: str
    deployments: Sequence[Raw] | None = ()
    told: Mapping[str, str] = field(default_factory=dict)

    @property
    def shards(self) -> list[Shard]:
        """The parts that there are operators for; the whole, where that is not known."""
        return [shard_of(item) for item in self.deployments or ()] or [Shard()]

    @property
    def watched(self) -> tuple[str, ...]:
        """Namespaces whose executions the operator serves; empty for all."""
        names = self.told.get("WFE_WATCH_NAMESPACES", "").split(",")
        return tuple(name.strip() for name in names if name.strip())


async def read_place(session: Session, operator_namespace: str, runner: str) -> Place:
    """Find out where things are. Raises: ApiError where the cluster does not answer."""
    deployments = await _deployments(session, operator_namespace)
    return Place(
        execution_namespace=session.execution_namespace,
        operator_namespace=operator_namespace,
        runner=runner,
        deployments=deployments,
        told=environment_of(deployments[0]) if deployments else {},
    )


async def _deployments(session: Session, namespace: str) -> list[Raw] | None:
    path = f"/apis/apps/v1/namespaces/{quote(namespace, safe='')}/deployments"
    try:
        return [item async for item in session.client.list_pages(path, _LABELLED)]
    except errors.MissingRightError:
        return None


def shard_of(deployment: Raw) -> Shard:
    """The part of all targets that a Deployment's operator has; all, where that cannot be read."""
    try:
        return parse_shard(environment_of(deployment).get("WFE_SHARD") or "1/1")
    except ValueError:
        # Its operator does not start, which is told by its pods.
        return Shard()


def environment_of(deployment: Raw) -> dict[str, str]:
    """The variables that the Deployment's first container is given as they are written."""
    template = reading.mapping(reading.mapping(deployment, "spec"), "template")
    containers = reading.mappings(reading.mapping(template, "spec"), "containers")
    variables = reading.mappings(containers[0], "env") if containers else []
    return {
        reading.text(item, "name"): item["value"]
        for item in variables
        if isinstance(item.get("value"), str)
    }


class State(StrEnum):
    """How it is. Only an error keeps executions from being carried out."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `fix` says what to do, empty where nothing is to be done."""

    check: str
    state: State
    detail: str
    fix: str = ""


def ok(check: str, detail: str) -> Finding:
    """All is well."""
    return Finding(check, State.OK, detail)


def warning(check: str, detail: str, fix: str) -> Finding:
    """Something may not be meant as it is."""
    return Finding(check, State.WARNING, detail, fix)


def error(check: str, detail: str, fix: str) -> Finding:
    """Something keeps executions from being carried out."""
    return Finding(check, State.ERROR, detail, fix)
