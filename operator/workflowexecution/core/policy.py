"""The part of the settings that reconciling needs, and the retention of what has ended."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.guards import Guards
from workflowexecution.core.names import Shard
from workflowexecution.core.pipelinerun import RunTemplate


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Zero means: kept for ever. Nothing is removed before its cooldown is over."""

    runs: timedelta
    failed_runs: timedelta
    executions: timedelta
    cooldown: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """See Settings for what each means; durations are at least 0.

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
        """Whether executions of this namespace are served by this operator."""
        return not self.watch_namespaces or namespace in self.watch_namespaces


def may_remove_run(run: Run, retention: Retention, now: datetime) -> bool:
    """Whether a run of ours has been kept long enough; it must have ended."""
    if run.owner is None or run.succeeded not in ("True", "False") or run.is_deleting:
        return False
    keep = retention.runs if run.succeeded == "True" else retention.failed_runs
    return run.completed_at is not None and _is_over(run.ended_at(now), keep, retention, now)


def may_remove_execution(execution: Execution, retention: Retention, now: datetime) -> bool:
    """Whether an execution that has ended has been kept long enough."""
    if execution.needs_work or execution.is_deleting:
        return False
    return _is_over(execution.completed_at, retention.executions, retention, now)


def _is_over(
    ended_at: datetime | None, keep: timedelta, retention: Retention, now: datetime
) -> bool:
    if not keep or ended_at is None:
        return False
    return now >= ended_at + max(keep, retention.cooldown)
