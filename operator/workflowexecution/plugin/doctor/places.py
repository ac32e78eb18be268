"""Namespaces and ServiceAccounts."""

from typing import Final
from urllib.parse import quote

from workflowexecution.api import reading
from workflowexecution.kube import errors
from workflowexecution.plugin.doctor.finding import Finding, error, ok
from workflowexecution.plugin.doctor.place import OPERATOR, Place
from workflowexecution.plugin.session import Session

_MAKE_NAMESPACES: Final = "kubectl apply -k manifests/namespaces"
_MAKE_ACCOUNTS: Final = "kubectl apply -k manifests/rbac"


async def check_execution_namespace(session: Session, place: Place) -> list[Finding]:
    """The namespace of the runs is there."""
    return [await _namespace(session, "execution namespace", place.execution_namespace)]


async def check_operator_namespace(session: Session, place: Place) -> list[Finding]:
    """The namespace of the operator is there."""
    return [await _namespace(session, "operator namespace", place.operator_namespace)]


async def _namespace(session: Session, check: str, name: str) -> Finding:
    try:
        found = await session.client.request("GET", f"/api/v1/namespaces/{quote(name, safe='')}")
    except errors.NotFoundError:
        return error(check, f"there is no namespace {name}", f"{_MAKE_NAMESPACES}, or name another")
    if reading.text(reading.mapping(found, "status"), "phase") == "Terminating":
        fix = f"wait until it is gone, then {_MAKE_NAMESPACES}"
        return error(check, f"namespace {name} is being deleted", fix)
    return ok(check, name)


async def check_runner_account(session: Session, place: Place) -> list[Finding]:
    """The ServiceAccount of runs is there."""
    return [await _account(session, "runner account", place.execution_namespace, place.runner)]


async def check_operator_account(session: Session, place: Place) -> list[Finding]:
    """The operator's ServiceAccount is there."""
    return [await _account(session, "operator account", place.operator_namespace, OPERATOR)]


async def _account(session: Session, check: str, namespace: str, name: str) -> Finding:
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/serviceaccounts/{quote(name, safe='')}"
    try:
        await session.client.request("GET", path)
    except errors.NotFoundError:
        missing = f"there is no ServiceAccount {name} in namespace {namespace}"
        return error(check, missing, _MAKE_ACCOUNTS)
    return ok(check, f"{namespace}/{name}")
