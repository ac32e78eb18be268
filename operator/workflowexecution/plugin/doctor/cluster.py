"""The cluster itself: versions, kinds that it serves, Tekton's parts, and clocks."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from workflowexecution.api import identity, reading
from workflowexecution.api.crd import build_crd
from workflowexecution.api.reading import Raw
from workflowexecution.client.kube_cluster import problem_of_versions
from workflowexecution.client.paths import RESOLVER_FLAGS
from workflowexecution.core.text import command
from workflowexecution.kube import errors
from workflowexecution.plugin.doctor.check import Finding, Installation, error, ok, warning
from workflowexecution.plugin.requests import cluster_of
from workflowexecution.plugin.session import Session
from workflowexecution.views.wording import install, short

_CRD: Final = (
    f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{identity.PLURAL}.{identity.GROUP}"
)
_INSTALL_CRD: Final = install("crd")
_INSTALL_TEKTON: Final = (
    "install Tekton Pipelines 1.0 or newer: https://tekton.dev/docs/installation"
)
# Tekton's Deployments, and what is missing without them. They have the same names in all
# installations of Tekton, but not always the same namespace. Its webhook is among all webhooks.
_TEKTON_PARTS: Final = {
    "tekton-pipelines-controller": ("tekton controller", "no run begins, and none ends"),
    "tekton-pipelines-remote-resolvers": (
        "resolver",
        "no bundle can be fetched, and runs wait",
    ),
}
_BUNDLES_FLAG: Final = "enable-bundles-resolver"
_SKEW: Final = timedelta(seconds=5)
# Nodes write their Leases every ten seconds.
_SILENT: Final = timedelta(minutes=1)


async def check_versions(session: Session, _: Installation) -> list[Finding]:
    """Kubernetes and Tekton are new enough."""
    cluster = cluster_of(session)
    kubernetes, tekton = await cluster.kubernetes_version(), await cluster.tekton_version()
    found = f"Kubernetes {kubernetes}, Tekton {tekton or 'of unknown version'}"
    if problem := problem_of_versions(kubernetes, tekton):
        return [error("versions", found, problem)]
    return [ok("versions", found)]


async def check_definition(session: Session, _: Installation) -> list[Finding]:
    """The CRDs are installed; that of WorkflowExecution is of this version."""
    served = await _served(session, identity.GROUP, identity.VERSION)
    if not {identity.PLURAL, f"{identity.PLURAL}/status"} <= served:
        return [error("definition", "WorkflowExecution is not defined here", _INSTALL_CRD)]
    if identity.HOLD_PLURAL not in served:
        return [error("definition", "WorkflowHold is not defined here", _INSTALL_CRD)]
    if identity.CLAIM_PLURAL not in served:
        return [error("definition", "WorkflowClaim is not defined here", _INSTALL_CRD)]
    return [definition_finding(await session.client.request("GET", _CRD))]


def definition_finding(definition: Raw) -> Finding:
    """Compare the CRD in the cluster with that of this version."""
    if _comparable(definition) == _comparable(build_crd()):
        return ok("definition", f"{identity.API_VERSION}, as in this version")
    differs = "WorkflowExecution is defined otherwise than in this version of the plugin"
    fix = f"use the plugin of the operator's version; or upgrade the operator; {_INSTALL_CRD}"
    return warning("definition", differs, fix)


def _comparable(definition: Raw) -> Any:
    """The parts of a CRD that matter to clients."""
    versions = reading.mappings(definition, "spec", "versions")
    return [
        (item.get("name"), item.get("served"), item.get("selectableFields"), item.get("schema"))
        for item in versions
    ]


async def check_tekton(session: Session, _: Installation) -> list[Finding]:
    """Tekton's kinds are served."""
    if {"pipelineruns", "taskruns"} <= await _served(session, "tekton.dev", "v1"):
        return [ok("tekton", "PipelineRuns and TaskRuns are served")]
    return [error("tekton", "tekton.dev/v1 is not served", _INSTALL_TEKTON)]


async def check_tekton_parts(session: Session, _: Installation) -> list[Finding]:
    """Tekton's Deployments have a ready pod; no finding for one that is absent."""
    return [
        part_finding(one)
        for name in _TEKTON_PARTS
        async for one in session.client.list_pages(
            "/apis/apps/v1/deployments", {"fieldSelector": f"metadata.name={name}"}
        )
    ]


def part_finding(deployment: Raw) -> Finding:
    """Judge one of Tekton's Deployments."""
    namespace, name = reading.texts(deployment, ("metadata", "namespace"), ("metadata", "name"))
    check, effect = _TEKTON_PARTS[name]
    ready = reading.mapping(deployment, "status").get("readyReplicas") or 0
    where = f"Deployment {namespace}/{name}"
    if ready:
        return ok(check, f"{where}: {ready} pods ready")
    of_it = ("-n", namespace, f"deploy/{name}")
    see = command("kubectl", "describe", *of_it)
    start = command("kubectl", "scale", *of_it, "--replicas", "1")
    is_off = reading.mapping(deployment, "spec").get("replicas") == 0
    return error(check, f"{where} has no ready pod: {effect}", start if is_off else see)


async def check_bundles(session: Session, _: Installation) -> list[Finding]:
    """Tekton fetches bundles; no finding where its flags are not in their usual namespace."""
    try:
        flags = await session.client.request("GET", RESOLVER_FLAGS)
    except errors.NotFoundError:
        return []
    if reading.text(flags, "data", _BUNDLES_FLAG) != "false":
        return [ok("bundles", "Tekton's resolver for them is switched on")]
    meta = reading.mapping(flags, "metadata")
    of_it = (reading.text(meta, "name"), "-n", reading.text(meta, "namespace"))
    turn_on = f'{{"data":{{"{_BUNDLES_FLAG}":"true"}}}}'
    fix = command("kubectl", "patch", "configmap", *of_it, "--type", "merge", "-p", turn_on)
    detail = "Tekton's resolver for them is switched off: no bundle can be fetched, and runs wait"
    return [error("bundles", detail, fix)]


async def _served(session: Session, group: str, version: str) -> set[str]:
    """The served kinds, by plural; all authenticated users may read them."""
    try:
        found = await session.client.request("GET", f"/apis/{group}/{version}")
    except errors.NotFoundError:
        return set()
    return {reading.text(item, "name") for item in reading.mappings(found, "resources")}


async def check_clock(session: Session, _: Installation) -> list[Finding]:
    """This machine's clock agrees with that of the API server."""
    offset = timedelta(seconds=session.clock.offset)
    if abs(offset) < _SKEW:
        return [ok("clock", "this machine's clock agrees with the API server's")]
    which = "behind" if offset > timedelta(0) else "ahead of"
    detail = f"this machine's clock is {short(abs(offset))} {which} the API server's"
    return [warning("clock", detail, "synchronise it; answers here go by the API server's")]


async def check_nodes(session: Session, _: Installation) -> list[Finding]:
    """The nodes' clocks, which set the times of runs, agree with that of the API server."""
    path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
    leases = [item async for item in session.client.list_pages(path)]
    return [nodes_finding(leases, session.now())]


def nodes_finding(leases: Iterable[Raw], now: datetime) -> Finding:
    """Judge the clocks of nodes by the times that they wrote to their Leases."""
    ahead, silent, known = [], [], 0
    for lease in leases:
        name = reading.text(lease, "metadata", "name")
        renewed = reading.moment(lease, "spec", "renewTime")
        known += 1
        if renewed and renewed - now > _SKEW:
            ahead.append(name)
        elif renewed is None or now - renewed > _SILENT:
            silent.append(name)
    if ahead:
        return error("nodes", f"clocks are ahead on {', '.join(ahead)}", "synchronise them")
    if silent:
        fix = "kubectl get nodes; see whether they are lost, or their clocks behind"
        return warning("nodes", f"silent for more than a minute: {', '.join(silent)}", fix)
    return ok("nodes", f"{known} nodes, all with the API server's time")
