"""Live reads: they confirm a decision that cannot be reversed."""

from collections.abc import Sequence
from typing import Final

from workflowexecution.client.cluster import RUNS_AT_ONCE, read_leftovers_of
from workflowexecution.controller.context import Context
from workflowexecution.core.facts.decoding import parse_execution, parse_run
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.leftovers import Leftovers
from workflowexecution.core.facts.run import Run, RunKey, RunState
from workflowexecution.kube import errors

# All executions that wait for a target can share a read; no run comes and goes in this time.
_FRESH_FOR_S: Final = 1.0


class LiveReads:
    """Reads runs and executions live and enters them into the cache.

    It queues each object that no watch has reported before.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seen_at: dict[RunKey, float] = {}
        self._left_at: dict[RunKey, float] = {}

    def is_fresh(self, key: RunKey) -> bool:
        """Whether this run was read, or written by us, a moment ago."""
        return (
            self._context.clock.monotonic() - self._seen_at.get(key, float("-inf")) < _FRESH_FOR_S
        )

    def is_holder_fresh(self, key: RunKey) -> bool:
        """Whether this run was seen to hold its target a moment ago.

        For a run that has ended, this takes a read of its leftovers.
        """
        run = self._context.store.run(key)
        if run is None or run.state is RunState.FINISHED:
            return False
        if run.state is not RunState.STOPPING:
            return self.is_fresh(key)
        return (
            self._context.clock.monotonic() - self._left_at.get(key, float("-inf")) < _FRESH_FOR_S
        )

    def mark_fresh(self, key: RunKey) -> None:
        """Note that this run has just been read live, or returned by our own write."""
        self._note(self._seen_at, key)

    def _note(self, moments: dict[RunKey, float], key: RunKey) -> None:
        now = self._context.clock.monotonic()
        moments.pop(key, None)
        moments[key] = now
        # The oldest are first: remove entries from there while they are no longer fresh.
        while now - moments[oldest := next(iter(moments))] >= _FRESH_FOR_S:
            del moments[oldest]

    async def read_run(self, key: RunKey) -> Run | None:
        """Read a run.

        Returns: the run as it is known now. It is marked as gone if it was known and no longer
            exists. None if no run has this name and none was known.
        Raises: ApiError where there is no answer.
        """
        before = self._context.store.run(key)
        try:
            seen = parse_run(await self._context.cluster.get_run(*key))
        except errors.NotFoundError as error:
            _assert_is_about(key[1], error)
            self.mark_fresh(key)
            if before is not None:
                self._context.store.run_is_gone(key, before.uid, now=self._context.clock.now())
            # A watch may already have reported a newer run of this name.
            return self._context.store.run(key)
        return self._learn(before, seen) if seen else None

    def _learn(self, before: Run | None, seen: Run) -> Run:
        """Enter a run, and queue it and its execution if it has changed.

        Its watch event will bring nothing new; in other namespaces there is no watch.
        """
        run = self.take_in(seen)
        is_news = before is None or before != run
        if is_news and run.owner and self._context.store.execution(run.owner.uid):
            self._context.executions.add(run.owner.uid)
        if is_news and run.state is RunState.STOPPING:
            self._context.runs.add(run.key)
        return run

    def take_in(self, seen: Run) -> Run:
        """Enter a run from an answer; an earlier run of its name is gone."""
        now, known = self._context.clock.now(), self._context.store.run(seen.key)
        if known is not None and known.uid and known.uid != seen.uid:
            self._context.store.run_is_gone(known.key, known.uid, now=now)
        self.mark_fresh(seen.key)
        return self._context.store.observe_run(seen, now=now) or seen

    async def confirm_holder(self, key: RunKey) -> Run | None:
        """Find out whether a run still holds its target; also settle ended runs on the same target.

        Returns: the run as it is known now, None where there is none.
        """
        run = await self.read_run(key)
        if run is None or run.state is not RunState.STOPPING:
            return run
        others = self._context.store.targets.unfinished_on(run.target_key)
        ended = [other for other in others if other.state is RunState.STOPPING]
        await self.settle_stopping([other for other in ended if other.namespace == run.namespace])
        return run

    async def settle_stopping(self, runs: Sequence[Run]) -> None:
        """Find out which of many runs have stopped.

        Args:
            runs: of one namespace; each was seen to have ended before this is called.
        """
        for first in range(0, len(runs), RUNS_AT_ONCE):
            some = runs[first : first + RUNS_AT_ONCE]
            found = await read_leftovers_of(self._context.cluster, some)
            for run in some:
                self.mark_fresh(run.key)
                if found[run.key].is_active:
                    self._note(self._left_at, run.key)
                else:
                    self._note_stopped(run)

    def _note_stopped(self, run: Run) -> None:
        """Free the target of a run, and queue its execution to report the end."""
        self._context.store.mark_stopped(run.key, run.uid, now=self._context.clock.now())
        if run.owner and self._context.store.execution(run.owner.uid):
            self._context.executions.add(run.owner.uid)

    async def read_leftovers(self, run: Run) -> Leftovers:
        """Read the leftovers of a run, which may itself be deleted, and remember them.

        Whether the run had begun is decided from all reads of it together.
        """
        found = (await read_leftovers_of(self._context.cluster, [run]))[run.key]
        memory = self._context.memory.run(run.key)
        memory.note(found)
        if memory.has_begun:
            self._context.store.learn_of_beginning(run.key, run.uid, now=self._context.clock.now())
        return found

    async def read_execution(self, namespace: str, name: str, uid: str = "") -> Execution | None:
        """Read an execution; None where none has this name, or where that one has another UID.

        The execution of the given UID is dropped if another one has its name.
        """
        # Read before the request: a watch may report an execution that is newer than the answer.
        before = [
            known.uid
            for known in self._context.store.executions()
            if (known.namespace, known.name) == (namespace, name)
        ]
        try:
            seen = parse_execution(await self._context.cluster.get_execution(namespace, name))
        except errors.NotFoundError as error:
            _assert_is_about(name, error)
            for known_uid in before:
                self._forget(known_uid)
            return None
        if self._context.policy.shard.holds(seen.target_key):
            self._take_in_execution(seen)
        if uid and uid != seen.uid:
            self._forget(uid)
            return None
        return seen

    def _take_in_execution(self, seen: Execution) -> None:
        if self._context.store.observe_execution(seen, now=self._context.clock.now()):
            # A watch event may come much later, or bring nothing new.
            self._context.executions.add(seen.uid)

    def _forget(self, uid: str) -> None:
        for key in self._context.store.forget_execution(uid, now=self._context.clock.now()):
            self._context.runs.add(key)


def _assert_is_about(name: str, error: errors.NotFoundError) -> None:
    """Believe in the end of an object only if the API server names it.

    A proxy that has just lost its servers answers 404 as well, and a run that is believed to be
    gone holds its target no longer. Raises: UnavailableError.
    """
    if error.name != name:
        raise errors.UnavailableError(f"{error}: this does not show that {name} is gone") from error
