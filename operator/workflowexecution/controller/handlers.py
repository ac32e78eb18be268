"""The kopf handlers, and the event handler: it enters changes into the cache and queues keys.

Each kopf handler passes changes on to the listener of its kind; that of executions and runs is the
event handler.

There are two registries, because kopf watches all kinds of a registry in the same namespaces.
Executions and claims may be in any namespace. Runs and holds are in the execution namespace, and
the operator may read them only there.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from workflowexecution.api import identity, reading
from workflowexecution.cache.memory import Gaps
from workflowexecution.controller.context import Context
from workflowexecution.core.facts.decoding import parse_execution, parse_run
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run, RunKey, RunState
from workflowexecution.kube.kopf_session import kopf, set_up
from workflowexecution.kube.watch_tap import Inbox

OF_EXECUTIONS: Final = kopf.OperatorRegistry()
OF_RUNS: Final = kopf.OperatorRegistry()

_OURS: Final = (identity.GROUP, identity.VERSION)

# A listener: takes the type of an event and the object; returns at once and never raises.
TakeIn = Callable[[str, dict[str, Any]], None]


@dataclass(slots=True)
class Listeners:
    """kopf's memo: the listener of each kind. All objects share one memo.

    inbox: holds the changes that kopf calls handlers for.
    login: opens the session that kopf watches through.
    check: returns once the cluster has everything the operator needs.
    """

    inbox: Inbox
    login: Callable[[], Awaitable[kopf.AiohttpSession]]
    check: Callable[[], Awaitable[None]]
    on_execution: TakeIn
    on_run: TakeIn
    on_hold: TakeIn
    on_claim: TakeIn

    def pass_on(self, take_in: TakeIn, event: kopf.RawEvent) -> None:
        """Pass the changes behind a kopf event on to a listener."""
        for change in self.inbox.take(event["object"]):
            take_in(*change)

    def __copy__(self) -> "Listeners":
        return self


@kopf.on.startup(registry=OF_EXECUTIONS)
@kopf.on.startup(registry=OF_RUNS)
async def begin(settings: kopf.OperatorSettings, memo: Listeners, **_: Any) -> None:
    """Set kopf up, and wait until the cluster serves the watched kinds."""
    set_up(settings)
    memo.inbox.clear()
    await memo.check()


@kopf.on.login(registry=OF_EXECUTIONS)
@kopf.on.login(registry=OF_RUNS)
async def login(memo: Listeners, **_: Any) -> kopf.AiohttpSession:
    """Open the session that kopf watches through."""
    return await memo.login()


@kopf.on.event(*_OURS, identity.PLURAL, registry=OF_EXECUTIONS)
async def execution_changed(event: kopf.RawEvent, memo: Listeners, **_: Any) -> None:
    """Take in a change of an execution."""
    memo.pass_on(memo.on_execution, event)


@kopf.on.event(*_OURS, identity.CLAIM_PLURAL, registry=OF_EXECUTIONS)
async def claim_changed(event: kopf.RawEvent, memo: Listeners, **_: Any) -> None:
    """Take in a change of a claim."""
    memo.pass_on(memo.on_claim, event)


@kopf.on.event("tekton.dev", "v1", "pipelineruns", registry=OF_RUNS)
async def run_changed(event: kopf.RawEvent, memo: Listeners, **_: Any) -> None:
    """Take in a change of a run."""
    memo.pass_on(memo.on_run, event)


@kopf.on.event(*_OURS, identity.HOLD_PLURAL, registry=OF_RUNS)
async def hold_changed(event: kopf.RawEvent, memo: Listeners, **_: Any) -> None:
    """Take in a change of a hold."""
    memo.pass_on(memo.on_hold, event)


@kopf.on.cleanup(registry=OF_EXECUTIONS)
@kopf.on.cleanup(registry=OF_RUNS)
async def end(memo: Listeners, **_: Any) -> None:
    """Forget changes that were not delivered; a relist finds them."""
    memo.inbox.clear()


class EventHandler:
    """Enters watch events into the cache; it decides nothing, sends no request and never raises."""

    def __init__(self, context: Context, gaps: Gaps) -> None:
        self._context = context
        self._gaps = gaps
        self._log = structlog.get_logger("intake")

    def missed(self) -> None:
        """Note that changes may have been missed."""
        self._gaps.note()

    def on_execution(self, event_type: str, raw: dict[str, Any]) -> None:
        """Take in one event of an execution."""
        self._guarded(self._on_execution, event_type, raw)

    def on_run(self, event_type: str, raw: dict[str, Any]) -> None:
        """Take in one event of a run."""
        self._guarded(self._on_run, event_type, raw)

    def can_wait_execution(self, event_type: str, raw: dict[str, Any]) -> bool:
        """Whether an event only repeats the cached version, as the event of our own write does."""
        meta = reading.mapping(raw, "metadata")
        uid, version = reading.text(meta, "uid"), reading.text(meta, "resourceVersion")
        return event_type == "MODIFIED" and self._context.store.has_execution(uid, version)

    def can_wait_run(self, event_type: str, raw: dict[str, Any]) -> bool:
        """Whether an event is only progress of a known run, which is written later."""
        meta = reading.mapping(raw, "metadata")
        if event_type == "DELETED" or "deletionTimestamp" in meta:
            return False
        known = self._context.store.run(
            (reading.text(meta, "namespace"), reading.text(meta, "name"))
        )
        if known is None or known.state is not RunState.ACTIVE or known.is_cancelled:
            return False
        asks_to_end = reading.text(raw, "spec", "status")
        has_ended = "completionTime" in reading.mapping(raw, "status")
        return known.uid == reading.text(meta, "uid") and not (asks_to_end or has_ended)

    def _guarded(self, take_in: TakeIn, event_type: str, raw: dict[str, Any]) -> None:
        try:
            take_in(event_type, raw)
        except Exception as error:
            # One malformed object must not stop the events of all others.
            name = raw.get("metadata", {}).get("name")
            self._log.error("event not understood", object=name, exc_info=error)

    def _on_execution(self, event_type: str, raw: dict[str, Any]) -> None:
        seen = parse_execution(raw)
        if not self._context.policy.shard.holds(seen.target_key):
            return
        now = self._context.clock.now()
        if event_type == "DELETED":
            self._queue_runs(self._context.store.forget_execution(seen.uid, now=now))
            self._context.executions.add(seen.uid)
            return
        self._context.store.observe_execution(seen, now=now)
        if seen.needs_work and not self._context.memory.wrote(seen.uid, seen.resource_version):
            self._context.executions.add(seen.uid)
        unwanted = [run for run in self._context.store.runs_of(seen) if not _is_run_of(run, seen)]
        self._queue_runs([run.key for run in unwanted])

    def _queue_runs(self, keys: list[RunKey]) -> None:
        for key in keys:
            self._context.runs.add(key)

    def _on_run(self, event_type: str, raw: dict[str, Any]) -> None:
        seen = parse_run(raw)
        if seen is None or not self._context.policy.shard.holds(seen.target_key):
            return
        if event_type == "DELETED":
            self._on_deleted_run(seen)
            return
        known = self._context.store.run(seen.key)
        run = self._context.store.observe_run(seen, now=self._context.clock.now()) or seen
        self._queue(run, known)

    def _on_deleted_run(self, seen: Run) -> None:
        now = self._context.clock.now()
        known = self._context.store.run(seen.key)
        if known is None and seen.succeeded == "Unknown":
            # The cache never had it; parts of it may still execute.
            self._context.store.take_in_gone_run(replace(seen, is_gone=True), now=now)
        elif known is not None:
            self._context.store.run_is_gone(seen.key, seen.uid, now=now)
        self._queue(known or seen)
        self._context.runs.add(seen.key)

    def _queue(self, run: Run, known: Run | None = None) -> None:
        """Queue a run's execution if it has to report news, and the run if it needs a pass."""
        owner = self._context.store.execution(run.owner.uid) if run.owner else None
        if run.state is RunState.STOPPING:
            # Its execution is queued when the leftovers of the run are known.
            self._context.runs.add(run.key)
            return
        if owner is not None:
            self._queue_owner(owner.uid, run, known)
        if run.state is RunState.ACTIVE and (
            run.is_cancelled
            or not _is_run_of(run, owner)
            or len(self._context.store.targets.unfinished_on(run.target_key)) > 1
        ):
            self._context.runs.add(run.key)

    def _queue_owner(self, uid: str, run: Run, known: Run | None) -> None:
        if known is not None and known == run:
            return
        if known is not None and known.state is run.state is RunState.ACTIVE:
            # Progress is written at intervals, so not each change needs a pass of its own.
            self._context.executions.add_within(
                uid, self._context.policy.progress_interval.total_seconds()
            )
        else:
            self._context.executions.add(uid)


def _is_run_of(run: Run, owner: Execution | None) -> bool:
    """Whether a run has an execution that reports it."""
    if owner is None or owner.is_deleting or owner.has_ended:
        return False
    return owner.wants(*run.key)
