"""Reads facts from the cluster: executions, runs and their leftovers, holds, published settings.

Objects that the user may not read are left out, and `Facts.unread` says so.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Final

from workflowexecution.api import reading
from workflowexecution.client.cluster import RUNS_AT_ONCE, Raw, read_leftovers_of
from workflowexecution.client.kube_cluster import KubeCluster
from workflowexecution.client.paths import OF_RELEASES, events_path, execution_paths, runs_path
from workflowexecution.core import names
from workflowexecution.core.facts.decoding import digest_in, parse_execution, parse_run
from workflowexecution.core.facts.hold import Hold, Release, parse_hold, parse_release
from workflowexecution.core.facts.leftovers import (
    SETTLED_AFTER,
    Leftovers,
    is_of_run,
    run_name_of,
    run_of_pod,
)
from workflowexecution.core.facts.pod import parse_pod
from workflowexecution.core.facts.run import Run, RunKey, RunState
from workflowexecution.core.facts.shapes import PageOfRuns
from workflowexecution.core.names import SETTINGS_CONFIG_MAP
from workflowexecution.core.policy import parse_published
from workflowexecution.kube import errors
from workflowexecution.kube.answers import decode_only
from workflowexecution.plugin.requests import cluster_of, escaped
from workflowexecution.plugin.session import Session
from workflowexecution.views.preview import Facts
from workflowexecution.views.published import OperatorSettings
from workflowexecution.views.wording import missing_right

# For what a command tells beside its answer.
_PATIENCE_S: Final = 3.0
_CREATED_AT: Final = ("metadata", "creationTimestamp")


async def last_resolved_run(session: Session, workflow_id: str, bundle: str) -> Raw | None:
    """The newest run of a workflow and its bundle whose pipeline Tekton has resolved.

    None where there is none, or it cannot be read, or not in a short time.

    Args:
        session: of the command.
        workflow_id: of the workflow; only runs that have its label are read.
        bundle: its reference; one with a digest is the bundle of that digest.
    """
    path = runs_path(session.execution_namespace)
    query = {"labelSelector": f"{names.KEY_WORKFLOW_ID}={names.label_value(workflow_id)}"}
    listed = session.client.list_pages(path, query, decode_only(PageOfRuns))
    try:
        async with asyncio.timeout(_PATIENCE_S):
            found = [raw async for raw in listed if _is_resolved(raw, bundle)]
    except (errors.ApiError, TimeoutError):
        return None
    return max(found, key=lambda raw: reading.text(raw, *_CREATED_AT), default=None)


def _is_resolved(raw: Raw, bundle: str) -> bool:
    """Whether a run is of this bundle, and shows the pipeline that is in it."""
    asked = reading.text(reading.item(raw, "spec", "pipelineRef", "params", name="bundle"), "value")
    fetched = reading.text(raw, "status", "provenance", "refSource", "digest", "sha256")
    digest = digest_in(bundle)
    is_meant = digest in (digest_in(asked), f"sha256:{fetched}") if digest else asked == bundle
    return is_meant and bool(reading.mapping(raw, "status", "pipelineSpec"))


async def _runs(session: Session, target: str) -> AsyncIterator[Raw]:
    """All runs; with a target, only those with its label and those without such a label.

    Runs of an earlier version have a label for each spelling of the target.
    Runs with the label of another target are not read: there may be ten thousand of them.
    """
    keys = {key for text in names.common_spellings(target) for key in names.target_keys(text)}
    hashes = ",".join(sorted(key.removeprefix("wfe-") for key in keys))
    selectors = (
        [f"{names.KEY_TARGET_HASH} in ({hashes})", f"!{names.KEY_TARGET_HASH}"] if target else [""]
    )
    path = runs_path(session.execution_namespace)
    for selector in selectors:
        query = {"labelSelector": selector} if selector else {}
        async for item in session.client.list_pages(path, query):
            yield item


async def _executions(session: Session, target: str) -> AsyncIterator[Raw]:
    """All executions; with a target, only those that write it in one of the common spellings.

    The run of any other one has the label of the target, and is read by that.
    """
    (path,) = execution_paths(())
    for text in names.common_spellings(target) if target else [""]:
        query = {"fieldSelector": f"spec.targetResource={escaped(text)}"} if text else {}
        async for item in session.client.list_pages(path, query):
            yield item


async def gather_facts(session: Session, target: str = "") -> Facts:
    """Read all facts that decide which targets are locked; with a target, only its facts.

    Raises: ApiError where the cluster does not answer; a missing right is not an error.
    """
    cluster, unread = cluster_of(session), list[str]()
    executions = await readable(_executions(session, target), unread)
    # Pods are read before runs, so that a pod without a listed run is left of a deleted run.
    listed_pods = await readable(cluster.list_active_pods(), unread)
    pods = [raw for raw in listed_pods if parse_pod(raw).is_active]
    listed = await readable(_runs(session, target), unread)
    runs = [run for raw in listed if (run := parse_run(raw))]
    if not unread:
        runs += _gone_runs(pods, {_key_of(raw) for raw in listed}, target)
    by_run = _by_run(pods)
    unsettled = [run for run in runs if _may_execute(run, session, by_run)]
    leftovers = await _leftovers_of(cluster, unsettled, unread)
    # Objects that could not be read may execute.
    unknown = {run.key for run in unsettled} if unread else set()
    return Facts(
        executions=tuple(map(parse_execution, executions)),
        runs=tuple(
            run if run.key in unknown else _settled(run, leftovers.get(run.key), by_run)
            for run in runs
        ),
        leftovers=leftovers,
        unread=tuple(unread),
    )


async def readable(listed: AsyncIterator[Raw], unread: list[str]) -> list[Raw]:
    """The listed objects; a missing right to list them is added to ``unread``."""
    try:
        return [raw async for raw in listed]
    except errors.MissingRightError as error:
        unread.append(missing_right(str(error)))
        return []


def _gone_runs(pods: Iterable[Raw], listed: set[RunKey], target: str) -> list[Run]:
    """Deleted runs that still have pods; with a target, only runs on that target."""
    gone = [run for raw in pods if (run := run_of_pod(raw)) and run.key not in listed]
    wanted = names.target_keys(target)
    return list({run.key: run for run in gone if not target or run.target_key in wanted}.values())


def _key_of(raw: Raw) -> RunKey:
    return raw["metadata"]["namespace"], raw["metadata"]["name"]


def _may_execute(run: Run, session: Session, pods: Mapping[str, list[Raw]]) -> bool:
    """Whether the leftovers of a run must be read; a run that succeeded leaves only pods."""
    if run.state is RunState.FINISHED:
        return False
    ended_at = run.completed_at
    is_settled = ended_at is not None and session.now() - ended_at > SETTLED_AFTER
    if run.succeeded == "True":
        return run.name in pods or (run.children.runs and not is_settled)
    return run.succeeded != "False" or not is_settled


async def _leftovers_of(
    cluster: KubeCluster, runs: Sequence[Run], unread: list[str]
) -> dict[RunKey, Leftovers]:
    found: dict[RunKey, Leftovers] = {}
    for first in range(0, len(runs), RUNS_AT_ONCE):
        try:
            found |= await read_leftovers_of(cluster, runs[first : first + RUNS_AT_ONCE])
        except errors.MissingRightError as error:
            unread.append(missing_right(str(error)))
            break
    return found


def _by_run(found: Iterable[Raw]) -> dict[str, list[Raw]]:
    by_run: dict[str, list[Raw]] = {}
    for raw in found:
        by_run.setdefault(run_name_of(raw), []).append(raw)
    return by_run


def _settled(run: Run, left: Leftovers | None, pods: Mapping[str, list[Raw]]) -> Run:
    """The run; where it is stopping, with `has_stopped` by its leftovers."""
    if run.state is not RunState.STOPPING:
        return run
    if left is not None:
        return dataclasses.replace(run, has_stopped=not left.is_active)
    has_pods = any(is_of_run(raw, run.uid) for raw in pods.get(run.name, ()))
    return dataclasses.replace(run, has_stopped=not has_pods)


async def list_holds(session: Session) -> list[Raw]:
    """All holds in the execution namespace."""
    return [raw async for raw in cluster_of(session).list_holds()]


async def read_holds(session: Session, unread: list[str]) -> tuple[Hold, ...]:
    """All holds; a missing right to read them is added to ``unread``."""
    try:
        return tuple(parse_hold(raw) for raw in await list_holds(session))
    except errors.MissingRightError as error:
        unread.append(missing_right(str(error)))
        return ()


async def read_releases(session: Session, unread: list[str]) -> list[Release]:
    """The releases of holds that Events report, for about an hour; see ``read_holds``."""
    path = events_path(session.execution_namespace)
    found = await readable(session.client.list_pages(path, OF_RELEASES), unread)
    return [release for raw in found if (release := parse_release(raw))]


async def read_settings(session: Session) -> OperatorSettings:
    """The settings that the operators publish; a missing right or object is not an error."""
    try:
        raw = await cluster_of(session).read_published()
    except errors.MissingRightError as error:
        return OperatorSettings(unknown=missing_right(str(error)), lacks_right=True)
    except errors.NotFoundError:
        where = f"{session.execution_namespace}/{SETTINGS_CONFIG_MAP}"
        missing = f"no operator has published any in ConfigMap {where}; see kubectl wfe doctor"
        return OperatorSettings(unknown=missing)
    entries, unreadable = parse_published(reading.mapping(raw, "data"))
    return OperatorSettings(entries=entries, unreadable=unreadable)
