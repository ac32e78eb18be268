"""Where the operator and its runs are, and what the operator is told, where that can be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.kube import errors
from workflowexecution.plugin.session import Session

# Of the ServiceAccount and the Deployment, as they are shipped.
OPERATOR: Final = "workflowexecution-controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What checks need to know.

    deployment: of the operator; empty where there is none, None where it cannot be read.
    told: settings in the Deployment's environment, by variable.
    """

    execution_namespace: str
    operator_namespace: str
    runner: str
    deployment: Raw | None = None
    told: Mapping[str, str] = field(default_factory=dict)

    @property
    def watched(self) -> tuple[str, ...]:
        """Namespaces whose executions the operator serves; empty for all."""
        names = self.told.get("WFE_WATCH_NAMESPACES", "").split(",")
        return tuple(name.strip() for name in names if name.strip())


async def read_place(session: Session, operator_namespace: str, runner: str) -> Place:
    """Find out where things are. Raises: ApiError where the cluster does not answer."""
    deployment = await _deployment(session, operator_namespace)
    return Place(
        execution_namespace=session.execution_namespace,
        operator_namespace=operator_namespace,
        runner=runner,
        deployment=deployment,
        told=environment_of(deployment or {}),
    )


async def _deployment(session: Session, namespace: str) -> Raw | None:
    path = f"/apis/apps/v1/namespaces/{quote(namespace, safe='')}/deployments/{OPERATOR}"
    try:
        return await session.client.request("GET", path)
    except errors.NotFoundError:
        return {}
    except errors.MissingRightError:
        return None


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
