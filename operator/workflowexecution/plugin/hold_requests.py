"""Requests of the commands about holds: the user, existing holds, new ones."""

from typing import Any, Final
from urllib.parse import quote

from workflowexecution.api import identity, reading
from workflowexecution.client.cluster import Raw
from workflowexecution.client.paths import holds_path
from workflowexecution.core.facts.hold import Hold, parse_hold
from workflowexecution.kube import errors
from workflowexecution.plugin.gather import cluster_of
from workflowexecution.plugin.session import Session
from workflowexecution.views.wording import missing_right

_WHO: Final = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


async def who_asks(session: Session) -> str:
    """The name by which the cluster knows whoever runs the command."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = await session.client.request("POST", _WHO, body=body)
    user = reading.mapping(reading.mapping(answer, "status"), "userInfo")
    return reading.text(user, "username")


async def list_holds(session: Session) -> list[Raw]:
    """Every hold of launches into the execution namespace."""
    return [raw async for raw in cluster_of(session).list_holds()]


async def read_holds(session: Session, unread: list[str]) -> tuple[Hold, ...]:
    """Every hold; where the right to read them is missing, that is added to ``unread``."""
    try:
        return tuple(parse_hold(raw) for raw in await list_holds(session))
    except errors.MissingRightError as error:
        unread.append(missing_right(str(error)))
        return ()


async def create_hold(session: Session, name: str, spec: dict[str, Any]) -> Hold:
    """Create a hold; where no name is given, the API server gives one."""
    meta = {"name": name} if name else {"generateName": "hold-"}
    body = {
        "apiVersion": identity.API_VERSION,
        "kind": identity.HOLD_KIND,
        "metadata": {**meta, "namespace": session.execution_namespace},
        "spec": spec,
    }
    path = holds_path(session.execution_namespace)
    return parse_hold(await session.client.request("POST", path, body=body))


async def delete_hold(session: Session, name: str) -> None:
    """Delete a hold; NotFoundError where there is none of this name."""
    path = f"{holds_path(session.execution_namespace)}/{quote(name, safe='')}"
    await session.client.request("DELETE", path)
