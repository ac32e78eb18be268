"""Settings for decisions: served namespaces, their claims, and retention; and their document.

Each operator publishes this document, with its state, so that every answer can use the settings.

A claim belongs to a namespace. It names the execution namespace of the one installation that
serves it. All operators of an installation, replicas and shards, share the execution namespace and
so the claim.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer, ValidationError

from workflowexecution.api.fields import Duration, Model, Time, message_of_field
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.guards import Guards
from workflowexecution.core.names import Shard, parse_shard
from workflowexecution.core.pipelinerun import RunTemplate

# Every cluster has it and it cannot be deleted: a claim in it is a claim of all namespaces.
EVERYWHERE: Final = "kube-system"
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
# An operator writes at each relist: one relist may fail, and a long one takes some time.
_RELISTS_MISSED: Final = 2
_SLACK: Final = timedelta(minutes=1)


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


def _read_shard(value: Any) -> Any:
    return parse_shard(value) if isinstance(value, str) else value


class PublishedSettings(Model):
    """The settings that answers depend on; see Settings. None where the operator names none.

    retry_limit: 0 where failures before the first step are not counted.
    watch_namespaces: empty for all. allowed_service_accounts: empty for any.
    """

    cooldown: Duration | None = None
    guard_failed: bool | None = None
    retry_limit: int | None = None
    first_retry_pause: Duration | None = None
    longest_retry_pause: Duration | None = None
    cancel_grace: Duration | None = None
    deadline_grace: Duration | None = None
    leftover_grace: Duration | None = None
    run_retention: Duration | None = None
    failed_run_retention: Duration | None = None
    execution_retention: Duration | None = None
    resync_interval: Duration | None = None
    watch_namespaces: tuple[str, ...] | None = None
    allowed_service_accounts: tuple[str, ...] | None = None


class Published(Model):
    """The document that the operator of one shard publishes.

    version: of the operator. written_by: its process.
    problem: why it is not ready or its facts may be stale; empty where nothing is wrong.
    """

    version: str = ""
    shard: Annotated[Shard, BeforeValidator(_read_shard), PlainSerializer(str)]
    written_at: Time | None = None
    written_by: str = ""
    problem: str = ""
    settings: PublishedSettings = PublishedSettings()

    def to_text(self) -> str:
        """The JSON document in the ConfigMap."""
        return self.model_dump_json(by_alias=True, exclude_none=True, indent=2)

    def is_old(self, now: datetime) -> bool:
        """Whether the operator should have written again long ago; false where that is not known.

        Args:
            now: aware UTC.
        """
        interval = self.settings.resync_interval
        if self.written_at is None or interval is None:
            return False
        return now - self.written_at > _RELISTS_MISSED * interval + _SLACK


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings that `decide` uses; the cooldown is at least 0."""

    cooldown: timedelta
    guards: Guards


def settings_of(policy: Policy, resync_interval: timedelta) -> PublishedSettings:
    """The published part of an operator's settings."""
    return PublishedSettings(
        cooldown=policy.cooldown,
        guard_failed=policy.guards.failed,
        retry_limit=policy.guards.retry_limit,
        first_retry_pause=policy.guards.first_pause,
        longest_retry_pause=policy.guards.longest_pause,
        cancel_grace=policy.cancel_grace,
        deadline_grace=policy.deadline_grace,
        leftover_grace=policy.leftover_grace,
        run_retention=policy.retention.runs,
        failed_run_retention=policy.retention.failed_runs,
        execution_retention=policy.retention.executions,
        resync_interval=resync_interval,
        watch_namespaces=policy.watch_namespaces,
        allowed_service_accounts=tuple(sorted(policy.template.allowed_service_accounts)),
    )


def rules_of(settings: PublishedSettings) -> Rules | None:
    """The settings for decisions; None where one of them is not published."""
    guards = (
        settings.guard_failed,
        settings.retry_limit,
        settings.first_retry_pause,
        settings.longest_retry_pause,
    )
    if settings.cooldown is None or None in guards:
        return None
    failed, limit, first, longest = guards
    assert failed is not None
    assert limit is not None
    assert first is not None
    assert longest is not None
    return Rules(
        settings.cooldown,
        Guards(failed=failed, retry_limit=limit, first_pause=first, longest_pause=longest),
    )


def parse_published(data: Mapping[str, Any]) -> tuple[list[Published], list[str]]:
    """Read the data of the ConfigMap: the entries, and what is wrong with the others, by key."""
    entries, problems = [], []
    for key, text in sorted(data.items()):
        try:
            entries.append(Published.model_validate_json(text))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            problems.append(f"{key}: {field + ': ' if field else ''}{message_of_field(first)}")
    return entries, problems


def entry_for(entries: Sequence[Published], target_key: str) -> Published | None:
    """The entry of the operator that decides on a target; of several shards, the newest.

    While the number of shards changes, and after it, there are entries of both numbers.
    """
    return newest_of(entry for entry in entries if entry.shard.holds(target_key))


def newest_of(entries: Iterable[Published]) -> Published | None:
    """The entry that was written last; None where there is none."""
    return max(entries, key=lambda entry: entry.written_at or _LONG_AGO, default=None)
