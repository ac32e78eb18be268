"""Rules of the execution namespace that refuse runs or their pods: quotas, and Pod Security."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.client.paths import TEKTON_FLAGS, TEKTON_NAMESPACE
from workflowexecution.core.text import command
from workflowexecution.kube import errors
from workflowexecution.plugin.doctor.check import (
    Finding,
    Installation,
    error,
    ok,
    unknown,
    warning,
)
from workflowexecution.plugin.session import Session

# The objects that Tekton and the operator create for each run.
_COUNTED: Final = (
    *("pods", "count/pods"),
    *("count/pipelineruns.tekton.dev", "count/taskruns.tekton.dev"),
    "count/resolutionrequests.resolution.tekton.dev",
)
# By resource of a quota: the key in a LimitRange, and where its default is.
_DEMANDED: Final = {
    **{name: ("defaultRequest", name) for name in ("cpu", "memory", "ephemeral-storage")},
    **{
        f"requests.{name}": ("defaultRequest", name)
        for name in ("cpu", "memory", "ephemeral-storage")
    },
    **{f"limits.{name}": ("default", name) for name in ("cpu", "memory", "ephemeral-storage")},
}
_LEVEL: Final = "pod-security.kubernetes.io/enforce"
_RESTRICTED: Final = "restricted"
_FLAG: Final = "set-security-context"
_FLAGS: Final = "feature-flags"


async def check_quotas(session: Session, installation: Installation) -> list[Finding]:
    """The quotas of the execution namespace have room for a run and its pods."""
    namespace = installation.execution_namespace
    where = f"/api/v1/namespaces/{quote(namespace, safe='')}"
    listed = session.client.list_pages(f"{where}/resourcequotas")
    quotas = [item async for item in listed if _hard(item)]
    ranges = []
    if any(name in _DEMANDED for item in quotas for name in _hard(item)):
        ranges = [item async for item in session.client.list_pages(f"{where}/limitranges")]
    found = [one for item in quotas for one in quota_findings(item, ranges)]
    if found or not quotas:
        return found or [ok("quotas", f"none in {namespace} limits runs or pods")]
    names = ", ".join(reading.text(item, "metadata", "name") for item in quotas)
    return [ok("quotas", f"none in {namespace} is used up: {names}")]


def _hard(quota: Raw) -> Mapping[str, Any]:
    """The limits of a quota that concern runs and their pods, by resource."""
    limits = reading.mapping(quota, "spec", "hard")
    return {name: most for name, most in limits.items() if name in (*_COUNTED, *_DEMANDED)}


def quota_findings(quota: Raw, ranges: Iterable[Raw]) -> list[Finding]:
    """The problems of a quota; none where there is room.

    Args:
        quota: one that limits runs or pods.
        ranges: the LimitRanges of its namespace.
    """
    namespace, name = reading.texts(quota, ("metadata", "namespace"), ("metadata", "name"))
    hard, used = _hard(quota), reading.mapping(quota, "status", "used")
    which, see = f"ResourceQuota {namespace}/{name}", ("kubectl", "describe", "quota", name)
    look = command(*see, "-n", namespace)
    if not hard.keys() <= used.keys():
        detail = f"{which} is not counted yet, so all that it limits is refused"
        return [error("quotas", detail, f"see whether kube-controller-manager runs; {look}")]
    full = [key for key in hard if _quantity(used[key]) >= _quantity(hard[key])]
    # A quota with scopes limits some pods, and it is not known whether those of runs are.
    is_scoped = _has_scopes(quota)
    if full:
        counts = ", ".join(f"{key} {used[key]} of {hard[key]}" for key in full)
        room = f"raise it, or let runs end and be removed; {look}"
        tell = warning if is_scoped else error
        return [tell("quotas", f"{which} has no room left: {counts}", room)]
    return [] if is_scoped else _undefaulted(which, namespace, hard, ranges)


def _undefaulted(
    which: str, namespace: str, hard: Iterable[str], ranges: Iterable[Raw]
) -> list[Finding]:
    """A finding where a quota demands what Tekton's own containers do not name."""
    defaults = {
        (key, name)
        for item in ranges
        for limit in reading.mappings(item, "spec", "limits")
        if limit.get("type") == "Container"
        for key in ("default", "defaultRequest")
        for name in reading.mapping(limit, key)
    }
    lacking = [key for key in hard if key in _DEMANDED and _DEMANDED[key] not in defaults]
    if not lacking:
        return []
    detail = (
        f"{which} refuses pods with a container without {', '.join(lacking)}: Tekton's own "
        "containers have none, unless its ConfigMap config-defaults gives them some"
    )
    fix = f"create a LimitRange in {namespace} that gives containers defaults for them"
    return [warning("quotas", detail, fix)]


def _has_scopes(quota: Raw) -> bool:
    spec = reading.mapping(quota, "spec")
    return bool(spec.get("scopes") or spec.get("scopeSelector"))


def _quantity(text: object) -> Any:
    # Imported here because it takes half a second, and few namespaces have quotas.
    from kubernetes.utils.quantity import parse_quantity

    return parse_quantity(text)


async def check_pod_security(session: Session, installation: Installation) -> list[Finding]:
    """The execution namespace enforces no Pod Security level that Tekton's containers violate."""
    namespace = installation.execution_namespace
    try:
        found = await installation.read_namespace(session, namespace)
    except errors.NotFoundError:
        # `check_execution_namespace` reports it.
        return []
    level = reading.text(found, "metadata", "labels", _LEVEL)
    if level != _RESTRICTED:
        named = f"enforces the level {level}" if level else "has no label that enforces a level"
        return [ok("pod security", f"{namespace} {named}")]
    return [restricted_finding(namespace, await _feature_flags(session))]


async def _feature_flags(session: Session) -> Raw | None:
    """Tekton's feature flags; None where it is not in its usual namespace."""
    try:
        return await session.client.request("GET", TEKTON_FLAGS)
    except errors.NotFoundError:
        return None


def restricted_finding(namespace: str, flags: Raw | None) -> Finding:
    """Judge Tekton's feature flags for runs in a namespace that enforces ``restricted``."""
    enforces = f"{namespace} enforces the level {_RESTRICTED}"
    needs = f"the containers that Tekton adds meet it only with its feature flag {_FLAG}"
    if flags is None:
        see = f"see whether the flag is on, in the ConfigMap {_FLAGS} of Tekton's namespace"
        where = f"there is no ConfigMap {TEKTON_NAMESPACE}/{_FLAGS}"
        return unknown("pod security", f"{enforces}; {needs}, and {where}", see)
    if reading.text(flags, "data", _FLAG) == "true":
        return ok("pod security", f"{enforces}, and Tekton's feature flag {_FLAG} is on")
    patch = ("kubectl", "patch", "configmap", _FLAGS, "-n", TEKTON_NAMESPACE, "--type", "merge")
    lower = ("kubectl", "label", "namespace", namespace, f"{_LEVEL}=baseline", "--overwrite")
    turn_on = command(*patch, "-p", f'{{"data":{{"{_FLAG}":"true"}}}}')
    fix = f"{turn_on}; or lower the level: {command(*lower)}"
    return error("pod security", f"{enforces}; {needs}, which is off: no pod can be created", fix)
