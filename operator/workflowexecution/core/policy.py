"""Settings for decisions: served namespaces, their claims, and retention.

A claim belongs to a namespace. It names the execution namespace of the one installation that
serves it. All operators of an installation, replicas and shards, share the execution namespace and
so the claim.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.guards import Guards
from workflowexecution.core.names import Shard
from workflowexecution.core.pipelinerun import RunTemplate

# Every cluster has it and it cannot be deleted: a claim in it is a claim of all namespaces.
EVERYWHERE: Final = "kube-system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Retention times; zero means for ever. Nothing is removed before its cooldown is over."""

    runs: timedelta
    failed_runs: timedelta
    executions: timedelta
    cooldown: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The settings for decisions; see Settings for their meaning. Durations are at least 0.

    watch_namespaces: namespaces whose executions are served; empty means all.
    """

    cooldown: timedelta
    progress_interval: timedelta
    cancel_grace: timedelta
    deadline_grace: timedelta
    leftover_grace: timedelta
    retention: Retention
    template: RunTemplate
    watch_namespaces: tuple[str, ...]
    guards: Guards = field(default_factory=Guards)
    shard: Shard = field(default_factory=Shard)

    def serves(self, namespace: str) -> bool:
        """Whether this operator serves the executions of this namespace."""
        return not self.watch_namespaces or namespace in self.watch_namespaces


def may_remove_run(run: Run, retention: Retention, now: datetime) -> bool:
    """Whether the retention time of a run of ours, which must have ended, is over."""
    if run.owner is None or run.succeeded not in ("True", "False") or run.is_deleting:
        return False
    keep = retention.runs if run.succeeded == "True" else retention.failed_runs
    return run.completed_at is not None and _is_over(run.ended_at(now), keep, retention, now)


def may_remove_execution(execution: Execution, retention: Retention, now: datetime) -> bool:
    """Whether the retention time of an execution that has ended is over."""
    if execution.needs_work or execution.is_deleting:
        return False
    return _is_over(execution.completed_at, retention.executions, retention, now)


def _is_over(
    ended_at: datetime | None, keep: timedelta, retention: Retention, now: datetime
) -> bool:
    if not keep or ended_at is None:
        return False
    return now >= ended_at + max(keep, retention.cooldown)


@dataclass(frozen=True, slots=True)
class Other:
    """Another installation, by its execution namespace, and a namespace that it has claimed."""

    namespace: str
    execution_namespace: str

    def __str__(self) -> str:
        """The sentence for people."""
        what = "all namespaces" if self.namespace == EVERYWHERE else f"namespace {self.namespace}"
        return f"{what}: claimed by the installation whose runs are in {self.execution_namespace}"


def asked_for(watch_namespaces: Sequence[str]) -> tuple[str, ...]:
    """The namespaces that an installation claims when it starts."""
    return tuple(watch_namespaces) or (EVERYWHERE,)


def deciding_on(namespace: str, watch_namespaces: Sequence[str]) -> tuple[str, ...]:
    """The namespaces whose claims an installation needs to serve executions of a namespace."""
    return (namespace,) if watch_namespaces else (EVERYWHERE, namespace)


def others_among(
    namespaces: Iterable[str], holders: Mapping[str, str], execution_namespace: str
) -> list[Other]:
    """The claims of other installations; ``holders`` are execution namespaces by namespace."""
    return [
        Other(name, holder)
        for name in namespaces
        if (holder := holders.get(name, execution_namespace)) != execution_namespace
    ]
