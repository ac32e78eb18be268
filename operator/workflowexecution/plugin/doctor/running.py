"""The operator: its Deployments, Leases and claims, and unprocessed executions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from workflowexecution import __version__
from workflowexecution.api import identity, reading
from workflowexecution.api.reading import Raw
from workflowexecution.client.paths import claim_paths, execution_paths
from workflowexecution.core import names
from workflowexecution.core.names import Shard
from workflowexecution.core.policy import asked_for, others_among
from workflowexecution.core.text import command
from workflowexecution.kube import errors
from workflowexecution.kube.leader_election import LEASE_DURATION
from workflowexecution.plugin.doctor.check import (
    OPERATOR,
    Finding,
    Installation,
    error,
    missing_shards,
    ok,
    unknown,
    warning,
)
from workflowexecution.plugin.session import Session
from workflowexecution.views.wording import install, short

# Longer than the operator takes to see an execution, also after a restart.
_UNSEEN: Final = timedelta(seconds=30)
_NAME_IT: Final = "name the operator's namespace with --operator-namespace"
_NO_LEADER: Final = "see why no operator becomes the leader: kubectl logs of its pods"


async def check_operator(_: Session, installation: Installation) -> list[Finding]:
    """The operator's pods are ready, and have the version of the plugin."""
    namespace = installation.operator_namespace
    if not installation.require_deployments():
        fix = f"{_NAME_IT}; or {install('install')}"
        missing = f"there is no Deployment {namespace}/{OPERATOR}; it may run elsewhere"
        return [warning("operator", missing, fix)]
    found = []
    for item in installation.deployments:
        name = reading.text(item, "metadata", "name")
        found += [readiness_of(item, f"{namespace}/{name}"), version_of(item)]
    return found + shard_findings(installation.shards)


def shard_findings(shards: Sequence[Shard]) -> list[Finding]:
    """Whether each shard has an operator; nothing without shards."""
    counts = {shard.of for shard in shards}
    if counts == {1}:
        return []
    if missing := missing_shards(shards):
        lacking = ", ".join(map(str, missing))
        detail = f"no operator has shard {lacking}: nothing is launched on its targets"
        return [error("shards", detail, "deploy it, with that WFE_SHARD; or use fewer shards")]
    if len(counts) > 1:
        there = ", ".join(sorted(map(str, shards)))
        fix = "once those that are meant are ready, delete the others"
        return [warning("shards", f"targets are shared in several ways at once: {there}", fix)]
    return [ok("shards", f"all {max(counts)} have an operator")]


def readiness_of(deployment: Raw, where: str) -> Finding:
    """Whether enough pods of the operator are ready."""
    wanted = reading.mapping(deployment, "spec").get("replicas", 1)
    ready = reading.mapping(deployment, "status").get("readyReplicas") or 0
    detail = f"Deployment {where}: {ready} of {wanted} pods ready"
    namespace, _, name = where.partition("/")
    pods = command("kubectl", "describe", "pods", "-n", namespace)
    see = f"{pods}; {command('kubectl', 'logs', '-n', namespace, f'deploy/{name}')}"
    if not wanted:
        scale = ("kubectl", "scale", "-n", namespace, f"deploy/{name}", "--replicas", "2")
        return error("operator", detail, command(*scale))
    if not ready:
        return error("operator", detail, see)
    return ok("operator", detail) if ready == wanted else warning("operator", detail, see)


def version_of(deployment: Raw) -> Finding:
    """Whether the tag of the operator's image is the version of the plugin."""
    template = reading.mapping(deployment, "spec", "template")
    containers = reading.mappings(template, "spec", "containers")
    image = reading.text(containers[0], "image") if containers else ""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    # A tag must not contain a plus sign.
    if tag.removeprefix("v") in ("", __version__.replace("+", "-")):
        return ok("operator version", image)
    fix = f"use the plugin of version {tag}, or upgrade the operator"
    return warning("operator version", f"image {image}, plugin {__version__}", fix)


async def check_leader(session: Session, installation: Installation) -> list[Finding]:
    """Each shard has a leader, if leader election is on."""
    if not installation.require_deployments():
        return [unknown("leader", "the operator's Deployment was not found", _NAME_IT)]
    if installation.settings.get("WFE_LEADER_ELECTION") != "true":
        return [ok("leader", "the operator elects none, by its Deployment")]
    return [
        await _leader(session, installation.operator_namespace, names.lease_name(shard))
        for shard in dict.fromkeys(installation.shards)
    ]


async def _leader(session: Session, namespace: str, name: str) -> Finding:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{quote(namespace, safe='')}/leases/{name}"
    try:
        return leader_finding(await session.client.request("GET", path), session.now())
    except errors.NotFoundError:
        return error(
            "leader", f"nobody has led yet: there is no Lease {namespace}/{name}", _NO_LEADER
        )


def leader_finding(lease: Raw, now: datetime) -> Finding:
    """Judge a Lease by its holder and the time of its last write."""
    spec = reading.mapping(lease, "spec")
    holder, renewed = reading.text(spec, "holderIdentity"), reading.moment(spec, "renewTime")
    silent = now - renewed if renewed else None
    lately = silent is not None and silent <= 2 * LEASE_DURATION
    if holder and lately:
        return ok("leader", holder)
    # Normal at the end of an upgrade: the last old pod releases the Lease after a new one is ready.
    if lately:
        handover = f"nobody leads: the last leader let go {short(silent)} ago"
        return warning("leader", handover, "ask again in half a minute; another one takes over")
    if not holder:
        return error("leader", "nobody leads", _NO_LEADER)
    detail = f"{holder} leads, and is silent for {short(silent) or 'ever'}"
    return error("leader", detail, _NO_LEADER)


async def check_unseen(session: Session, installation: Installation) -> list[Finding]:
    """The operator has seen all executions."""
    query = {"fieldSelector": "status.phase="}
    found = [
        item
        for path in execution_paths(installation.watched)
        async for item in session.client.list_pages(path, query)
    ]
    return [unseen_finding(found, session.now())]


def unseen_finding(executions: Sequence[Raw], now: datetime) -> Finding:
    """Judge executions without a phase by their age."""
    waiting = sorted(
        (created, f"{reading.text(meta, 'namespace')}/{reading.text(meta, 'name')}")
        for item in executions
        if (
            created := reading.moment(
                meta := reading.mapping(item, "metadata"), "creationTimestamp"
            )
        )
        and now - created > _UNSEEN
    )
    if not waiting:
        return ok("executions", "all have been seen by the operator")
    oldest, name = waiting[0]
    detail = f"{len(waiting)} not seen by the operator, {name} for {short(now - oldest)}"
    return error("executions", detail, "see whether the operator runs and serves their namespaces")


async def check_claims(session: Session, installation: Installation) -> list[Finding]:
    """No other installation has claimed a namespace that this one serves."""
    installation.require_deployments()
    claims = [
        item
        for path in claim_paths(installation.watched)
        async for item in session.client.list_pages(path)
    ]
    return [claims_finding(holders_of(claims), installation.runs_in, installation.watched)]


def holders_of(claims: Iterable[Raw]) -> dict[str, str]:
    """The claims: by namespace, the execution namespace of the installation that claims it."""
    return {
        reading.text(item, "metadata", "namespace"): reading.text(
            item, "spec", "executionNamespace"
        )
        for item in claims
    }


def claims_finding(
    holders: Mapping[str, str], execution_namespace: str, watched: tuple[str, ...]
) -> Finding:
    """Judge claims; an operator for all namespaces may leave some to other installations."""
    others = others_among(sorted(holders), holders, execution_namespace)
    if not others:
        return ok("claims", f"nothing is claimed by others than {execution_namespace}")
    detail = f"executions are left alone in {'; '.join(map(str, others))}"
    where = "NAMESPACE" if len(others) > 1 else others[0].namespace
    end = command("kubectl", "delete", identity.CLAIM_PLURAL, identity.CLAIM_NAME, "-n", where)
    fix = (
        "have one of the two serve other namespaces (WFE_WATCH_NAMESPACES); if the other is gone "
        f"for good: {end}"
    )
    is_asked_for = {one.namespace for one in others} & set(asked_for(watched))
    return error("claims", detail, fix) if is_asked_for else warning("claims", detail, fix)
