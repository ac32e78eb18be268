"""Namespaces and ServiceAccounts, and the rights of the operator and of the runs."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from workflowexecution.api import identity, reading
from workflowexecution.api.reading import Raw
from workflowexecution.core import names
from workflowexecution.core.text import command
from workflowexecution.kube import errors
from workflowexecution.plugin.doctor.check import (
    Finding,
    Installation,
    error,
    ok,
    warning,
)
from workflowexecution.plugin.session import Session
from workflowexecution.views.wording import install

_MAKE_NAMESPACES: Final = install("namespaces")
_APPLY_ROLES: Final = install("install")
_REVIEWS: Final = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
_RBAC: Final = "/apis/rbac.authorization.k8s.io/v1"
# Group, resource, verbs: rights in the namespaces of executions, then in that of runs.
OF_EXECUTIONS: Final = (
    (identity.GROUP, identity.PLURAL, ("get", "list", "watch", "patch")),
    (identity.GROUP, f"{identity.PLURAL}/status", ("patch",)),
    (identity.GROUP, identity.CLAIM_PLURAL, ("list", "watch", "create")),
    ("events.k8s.io", "events", ("create",)),
)
OF_RUNS: Final = (
    ("tekton.dev", "pipelineruns", ("get", "list", "watch", "create", "patch", "delete")),
    ("tekton.dev", "taskruns", ("list",)),
    ("tekton.dev", "customruns", ("list", "delete")),
    ("", "pods", ("list", "delete")),
    ("", "events", ("list",)),
    (identity.GROUP, identity.HOLD_PLURAL, ("list", "watch")),
)
# Without these the operator works, and answers about its decisions lack its settings.
OF_SETTINGS: Final = (("", "configmaps", ("create", "patch")),)
OF_THE_LEASE: Final = (("coordination.k8s.io", "leases", ("get", "update")),)


async def check_execution_namespace(session: Session, installation: Installation) -> list[Finding]:
    """The namespace of runs exists."""
    name, flag = installation.execution_namespace, "--execution-namespace"
    return [await _namespace(session, installation, "execution namespace", name, flag)]


async def check_operator_namespace(session: Session, installation: Installation) -> list[Finding]:
    """The namespace of the operator exists."""
    name, flag = installation.operator_namespace, "--operator-namespace"
    return [await _namespace(session, installation, "operator namespace", name, flag)]


async def _namespace(
    session: Session, installation: Installation, check: str, name: str, flag: str
) -> Finding:
    try:
        found = await installation.read_namespace(session, name)
    except errors.NotFoundError:
        return error(
            check,
            f"there is no namespace {name}",
            f"name another with {flag}; or {_MAKE_NAMESPACES}",
        )
    if reading.text(found, "status", "phase") == "Terminating":
        fix = f"wait until it is gone, then {_MAKE_NAMESPACES}"
        return error(check, f"namespace {name} is being deleted", fix)
    return ok(check, name)


async def check_runner_account(session: Session, installation: Installation) -> list[Finding]:
    """The ServiceAccount of runs exists."""
    return [
        await _account(
            session, "runner account", installation.execution_namespace, installation.runner
        )
    ]


async def check_operator_account(session: Session, installation: Installation) -> list[Finding]:
    """The ServiceAccount of the operator exists."""
    place = installation.operator_namespace
    return [await _account(session, "operator account", place, installation.account)]


async def _account(session: Session, check: str, namespace: str, name: str) -> Finding:
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/serviceaccounts/{quote(name, safe='')}"
    try:
        await session.client.request("GET", path)
    except errors.NotFoundError:
        missing = f"there is no ServiceAccount {name} in namespace {namespace}"
        return error(check, missing, _APPLY_ROLES)
    return ok(check, f"{namespace}/{name}")


@dataclass(frozen=True, slots=True)
class Right:
    """One verb on one kind of object; the namespace is empty for all."""

    group: str
    resource: str
    verb: str
    namespace: str = ""
    name: str = ""

    @property
    def scope(self) -> str:
        """Resource and namespace, for people."""
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{what} in {self.namespace or 'all namespaces'}"


def operator_rights(installation: Installation) -> list[Right]:
    """All rights that the operator of an installation needs."""
    rights = [
        Right(group, resource, verb, namespace)
        for namespace in installation.watched or ("",)
        for group, resource, verbs in OF_EXECUTIONS
        for verb in verbs
    ]
    rights += [
        Right(group, resource, verb, installation.execution_namespace)
        for group, resource, verbs in OF_RUNS
        for verb in verbs
    ]
    rights += [
        Right(group, resource, verb, installation.execution_namespace, names.SETTINGS_CONFIG_MAP)
        for group, resource, verbs in OF_SETTINGS
        for verb in verbs
    ]
    if installation.settings.get("WFE_LEADER_ELECTION") == "true":
        rights.append(
            Right("coordination.k8s.io", "leases", "create", installation.operator_namespace)
        )
        rights += [
            Right(group, resource, verb, installation.operator_namespace, names.lease_name(shard))
            for shard in dict.fromkeys(installation.shards)
            for group, resource, verbs in OF_THE_LEASE
            for verb in verbs
        ]
    return rights


async def check_operator_rights(session: Session, installation: Installation) -> list[Finding]:
    """The operator's ServiceAccount has all rights that it needs."""
    installation.require_deployments()
    user = f"system:serviceaccount:{installation.operator_namespace}:{installation.account}"
    rights = operator_rights(installation)
    granted = await asyncio.gather(*(_is_granted(session, user, right) for right in rights))
    missing = [right for right, given in zip(rights, granted, strict=True) if not given]
    if not missing:
        return [ok("operator rights", f"{installation.account} has all {len(rights)}")]
    return [missing_rights_finding(missing, installation.account)]


def missing_rights_finding(missing: Sequence[Right], account: str) -> Finding:
    """Judge rights that the operator lacks: without that to publish, executions still run."""
    detail = f"{account} may not {describe_rights(missing)}"
    if all(right.name == names.SETTINGS_CONFIG_MAP for right in missing):
        without = f"{detail}: by which settings it decides is not known"
        return warning("operator rights", without, _APPLY_ROLES)
    return error("operator rights", detail, _APPLY_ROLES)


def describe_rights(rights: Iterable[Right]) -> str:
    """Rights for people, with the verbs of each resource together."""
    verbs: dict[str, list[str]] = {}
    for right in rights:
        verbs.setdefault(right.scope, []).append(right.verb)
    return "; ".join(f"{', '.join(some)} {scope}" for scope, some in verbs.items())


async def _is_granted(session: Session, user: str, right: Right) -> bool:
    resource, _, subresource = right.resource.partition("/")
    attributes = {
        "group": right.group,
        "resource": resource,
        "subresource": subresource,
        "verb": right.verb,
        "namespace": right.namespace,
        "name": right.name,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": attributes},
    }
    answer = await session.client.request("POST", _REVIEWS, body=review)
    return reading.mapping(answer, "status").get("allowed") is True


async def check_runner_rights(session: Session, installation: Installation) -> list[Finding]:
    """The ServiceAccount of runs is bound to a role."""
    bindings = [
        item
        for kind in ("clusterrolebindings", "rolebindings")
        async for item in session.client.list_pages(f"{_RBAC}/{kind}")
    ]
    return [runner_finding(bindings, installation)]


def runner_finding(bindings: Iterable[Raw], installation: Installation) -> Finding:
    """List the roles of the runner, with their namespaces."""
    found = sorted(_role_of(item) for item in bindings if _names(item, installation))
    if found:
        return ok("runner rights", "; ".join(found))
    apply = command("kubectl", "apply", "-n", "NAMESPACE", "-f", "runner-in-namespace.yaml")
    fix = (
        "for each namespace in which runs may change something, install runner-in-namespace.yaml "
        f"of the operator's release: {apply}"
    )
    detail = f"{installation.runner} is bound to no role: runs can change nothing"
    return warning("runner rights", detail, fix)


def _names(binding: Raw, installation: Installation) -> bool:
    return any(
        (item.get("kind"), item.get("namespace"), item.get("name"))
        == ("ServiceAccount", installation.execution_namespace, installation.runner)
        for item in reading.mappings(binding, "subjects")
    )


def _role_of(binding: Raw) -> str:
    role = reading.mapping(binding, "roleRef")
    namespace = reading.text(binding, "metadata", "namespace")
    return f"{reading.text(role, 'name')} in {namespace or 'all namespaces'}"
