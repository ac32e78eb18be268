"""The full relist: lists every object, page by page, and brings the cache up to date.

The operator starts with a relist. A relist also finds what the watches missed: deletions, runs of
deleted executions, and pods of deleted runs.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from workflowexecution.api import reading
from workflowexecution.client.cluster import Raw
from workflowexecution.controller.context import Context
from workflowexecution.controller.live_reads import LiveReads
from workflowexecution.controller.retention import Candidates
from workflowexecution.core.facts.decoding import parse_execution, parse_run
from workflowexecution.core.facts.leftovers import has_left_only_pods, run_name_of, run_of_pod
from workflowexecution.core.facts.pod import parse_pod
from workflowexecution.core.facts.run import Run, RunKey, RunState
from workflowexecution.core.policy import may_remove_execution, may_remove_run

# A watch reports a new object within this time, unless it has missed it.
_REPORTED_WITHIN: Final = timedelta(seconds=10)
# A run that is a task of a run, and so on: deeper than any user nests them.
_DEEPEST_RUN: Final = 8
# Number of objects between two pauses for other work.
_PIECE: Final = 100


@dataclasses.dataclass(slots=True)
class Found:
    """The result of a relist.

    candidates: objects that are old enough to be removed.
    missed_executions, missed_runs: number of changes that no watch had reported.
    """

    candidates: Candidates = dataclasses.field(default_factory=Candidates)
    missed_executions: int = 0
    missed_runs: int = 0


@dataclasses.dataclass(slots=True)
class _Seen(Found):
    """The working data of one relist; it keeps only what the end of the relist needs."""

    now: datetime = dataclasses.field(kw_only=True)
    uids: set[str] = dataclasses.field(default_factory=set)
    keys: set[RunKey] = dataclasses.field(default_factory=set)
    ended: dict[RunKey, Run] = dataclasses.field(default_factory=dict)
    parents: dict[RunKey, RunKey] = dataclasses.field(default_factory=dict)

    def note_child(self, raw: Raw) -> None:
        """Note the parent of a run that is a task."""
        meta = raw["metadata"]
        if parent := run_name_of(raw):
            self.parents[meta["namespace"], meta["name"]] = (meta["namespace"], parent)

    def first_parent(self, key: RunKey) -> RunKey:
        """The top-level run above a run that is a task; the run itself where it is none."""
        for _ in range(_DEEPEST_RUN):
            key = self.parents.get(key, key)
        return key


class Relist:
    """Lists everything; objects in the cache that no longer exist are dropped."""

    def __init__(self, context: Context, reader: LiveReads) -> None:
        self._context = context
        self._reader = reader

    async def relist(self) -> Found:
        """List everything once, and queue all objects that may need work.

        Raises: ApiError where there is no answer; nothing is dropped then.
        """
        uids_before = {execution.uid for execution in self._context.store.executions()}
        runs_before = [run for run in self._context.store.runs() if not run.is_gone]
        gone_before = [run.key for run in self._context.store.runs() if run.is_gone]
        seen = _Seen(now=self._context.clock.now())
        self._context.store.begin_listing()
        await self._list_executions(seen, uids_before)
        await self._list_runs(seen)
        await self._list_pods(seen)
        await self._settle_gone(gone_before)
        for uid in uids_before - seen.uids:
            await self._miss_execution(uid, seen)
        watched = self._context.policy.template.namespace
        for run in runs_before:
            if run.namespace == watched and run.key not in seen.keys:
                await self._miss_run(run, seen)
        self._forget_past(seen)
        self._context.store.end_listing()
        self.queue_all()
        return seen

    async def _in_pieces(
        self, listed: AsyncIterator[Raw], forget: Callable[[], None]
    ) -> AsyncIterator[Raw]:
        """Yield each object; now and then pause for other work, and call ``forget``."""
        number = 0
        async for raw in listed:
            yield raw
            number += 1
            if number % _PIECE == 0:
                forget()
                await asyncio.sleep(0)

    def _forget_old_ends(self) -> None:
        self._context.store.targets.forget_ends(
            self._context.clock.now() - self._context.policy.cooldown
        )

    def _forget_past(self, seen: _Seen) -> None:
        """Drop history that no decision needs, once all executions are listed.

        Every run that is older has its execution in the cache by now, if that exists.
        """
        self._forget_old_ends()
        self._context.store.forget_unclaimed(seen.now - _REPORTED_WITHIN)

    async def _miss_execution(self, uid: str, seen: _Seen) -> None:
        """Read an execution that was not listed: the list may be older than a watch event."""
        known = self._context.store.execution(uid)
        if known is not None:
            found = await self._reader.read_execution(known.namespace, known.name, uid)
            seen.missed_executions += found is None
        self._context.executions.add(uid)

    async def _miss_run(self, run: Run, seen: _Seen) -> None:
        """Drop a run that was not listed; if it still holds its target, read it first.

        The list may be older than a watch event or our own write.
        """
        known = self._context.store.run(run.key)
        if run.state is RunState.FINISHED:
            self._context.store.run_is_gone(run.key, run.uid, now=self._context.clock.now())
        elif known is not None and not known.is_gone:
            now_known = await self._reader.read_run(run.key)
            seen.missed_runs += now_known is None or now_known.is_gone

    async def _list_executions(self, seen: _Seen, known: set[str]) -> None:
        async for raw in self._in_pieces(
            self._context.cluster.list_executions(), self._forget_old_ends
        ):
            execution = parse_execution(raw)
            if not self._context.policy.shard.holds(execution.target_key):
                continue
            if self._context.store.is_left(execution.namespace):
                continue
            is_news = self._context.store.observe_execution(
                execution, now=self._context.clock.now()
            )
            created_at = reading.moment(raw["metadata"], "creationTimestamp") or seen.now
            seen.missed_executions += is_news and seen.now - created_at > _REPORTED_WITHIN
            if execution.uid in known:
                seen.uids.add(execution.uid)
            is_old = may_remove_execution(execution, self._context.policy.retention, seen.now)
            if is_old and not self._context.store.endings.rest_on_execution(execution):
                seen.candidates.add_execution(execution)

    async def _list_runs(self, seen: _Seen) -> None:
        forget = partial(self._forget_past, seen)
        async for raw in self._in_pieces(self._context.cluster.list_runs(), forget):
            run = parse_run(raw)
            if run is None:
                seen.note_child(raw)
                continue
            if not self._context.policy.shard.holds(run.target_key):
                continue
            if self._context.store.run(run.key) is not None:
                seen.keys.add(run.key)
            elif run.state is RunState.ACTIVE and seen.now - run.created_at > _REPORTED_WITHIN:
                seen.missed_runs += 1
            if run.state is RunState.STOPPING and not self._context.memory.has_looked_at(run.key):
                seen.ended[run.key] = run
            else:
                self._context.store.observe_run(run, now=self._context.clock.now())
            is_old = may_remove_run(run, self._context.policy.retention, seen.now)
            if is_old and not self._is_needed(run):
                seen.candidates.add_run(run)

    def _is_needed(self, run: Run) -> bool:
        """Whether its execution still has to report its end, or a guard depends on it."""
        is_unreported = (
            run.owner is not None and self._context.store.execution(run.owner.uid) is not None
        )
        return is_unreported or self._context.store.endings.rest_on_run(run)

    async def _list_pods(self, seen: _Seen) -> None:
        """Find the ended runs that still have active pods; the others stopped long ago."""
        gone: dict[RunKey, Run] = {}
        with_pods: set[RunKey] = set()
        async for raw in self._context.cluster.list_active_pods():
            run = run_of_pod(raw)
            if run is None or not self._context.policy.shard.holds(run.target_key):
                continue
            if not parse_pod(raw).is_active:
                continue
            key = seen.first_parent(run.key)
            with_pods.add(key)
            if key not in seen.ended and self._context.store.run(key) is None:
                gone.setdefault(run.key, run)
        await self._settle_ended(seen, with_pods)
        for key, run in gone.items():
            if await self._reader.read_run(key) is None:
                seen.missed_runs += 1
                self._context.store.take_in_gone_run(run, now=self._context.clock.now())

    async def _settle_ended(self, seen: _Seen, with_pods: set[RunKey]) -> None:
        recent = []
        for key, run in seen.ended.items():
            now = self._context.clock.now()
            if key in with_pods:
                self._context.store.take_in_active_again(run, now=now)
                continue
            has_stopped = has_left_only_pods(run, now)
            kept = self._context.store.observe_run(
                dataclasses.replace(run, has_stopped=has_stopped), now=now
            )
            if has_stopped:
                self._context.store.mark_stopped(key, run.uid, now=now)
            elif kept is not None and run.succeeded in ("True", "False"):
                recent.append(kept)
        await self._reader.settle_stopping(recent)

    async def _settle_gone(self, keys: list[RunKey]) -> None:
        """Drop deleted runs that were gone before this relist and have no leftovers.

        The leader runs a pass for each of them; a standby would keep them for ever.
        """
        found = []
        for key in keys:
            run = self._context.store.run(key)
            if run is not None and not run.uid:
                # Only a status names it: it may exist and be active.
                run = await self._reader.read_run(key)
            if run is not None and run.is_gone and not self._context.memory.has_looked_at(key):
                found.append(run)
        watched = self._context.policy.template.namespace
        await self._reader.settle_stopping([run for run in found if run.namespace == watched])

    def queue_all(self) -> None:
        """Queue everything in the cache that may need work."""
        executions = [execution.uid for execution in self._context.store.executions()]
        runs = [run for run in self._context.store.runs() if run.state is not RunState.FINISHED]
        for uid in executions:
            self._context.executions.add(uid)
        for run in runs:
            self._context.runs.add(run.key)
        self._context.memory.keep_only(executions, [run.key for run in self._context.store.runs()])
