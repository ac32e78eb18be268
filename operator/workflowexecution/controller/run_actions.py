"""Carries out the verdict to end a run, and remembers the result of each way to end it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import structlog

from workflowexecution.cache.memory import Attempt
from workflowexecution.controller.context import Context
from workflowexecution.controller.live_reads import LiveReads
from workflowexecution.core.facts.decoding import parse_run
from workflowexecution.core.facts.run import Run, RunKey, RunState
from workflowexecution.core.run_ending import ASKED_BY_WAY, EndReason, EndRun, Tried, Way
from workflowexecution.core.status.outcome import describe_ending, note_of_end
from workflowexecution.kube import errors
from workflowexecution.observe import events

# Longer than the time between two tries with an answer or a time-out: in between, the API server
# was out of reach.
_OUT_OF_REACH_S: Final = 90.0
_BEFORE_THE_RUN: Final = (EndReason.EXECUTION_DELETED, EndReason.EXECUTION_ENDED)


class RunActions:
    """Carries out ``EndRun`` and ``BeginAgain``."""

    def __init__(self, context: Context, reader: LiveReads) -> None:
        self._context = context
        self._reader = reader
        self._log = structlog.get_logger("ending")

    def tried(self, run: Run) -> Mapping[Way, Tried]:
        """The result so far of each way to end a run; requests of other users count, too."""
        known, now = self._context.memory.run(run.key).tried, self._context.clock.monotonic()
        for way, asked in ASKED_BY_WAY.items():
            if run.asked is asked:
                known.setdefault(way, Attempt(now, now))
        return {
            way: Tried(
                ago=timedelta(seconds=now - one.since),
                refused_for=timedelta(seconds=one.last - one.since),
                refusal=one.refusal,
                is_final=one.is_final,
            )
            for way, one in known.items()
        }

    def describe(self, run: Run) -> str:
        """The progress of ending a run, for people; empty where nothing ends it."""
        if run.owner is None or run.state is not RunState.ACTIVE:
            return ""
        return describe_ending(run, self.tried(run), self._context.policy.cancel_grace)

    async def end(self, run: Run, verdict: EndRun) -> None:
        """End a run in one way; a final refusal is remembered.

        Raises: ApiError where the request has to be repeated in the same way.
        """
        rival, way = verdict.rival, verdict.way
        if rival is not None:
            key = (rival.run_namespace or run.namespace, rival.run_name)
            if not self._reader.is_fresh(key):
                await self._reader.read_run(key)
                return
        before = self.tried(run)
        if verdict.reason in _BEFORE_THE_RUN:
            self._context.memory.run(run.key).outlives = run
        self._note_attempt(run, way)
        try:
            refusal: str | None = await self._ask(run, way)
        except errors.ApiError as error:
            refusal = await self._settle(run, way, error)
        if refusal:
            self._refuse(run, way, refusal, is_final=True)
        elif refusal is not None:
            now = self._context.clock.monotonic()
            self._context.memory.run(run.key).tried[way] = Attempt(now, now)
            self._record(run, verdict, before)

    def begin_again(self, run: Run) -> None:
        """Forget the refusals; requests that Tekton has accepted remain in the run."""
        known = self._context.memory.run(run.key).tried
        if known[Way.DELETE].refusal:
            self._record_not_ended(run)
        for way in list(known):
            if ASKED_BY_WAY.get(way) is not run.asked:
                del known[way]

    def let_go(self, key: RunKey) -> None:
        """Forget a run that no longer holds its target.

        Where its execution was gone or had ended before, no status tells that the target is free.
        """
        memory = self._context.memory.drop_run(key)
        if memory is not None and memory.outlives is not None:
            self._context.recorder.lock_released(memory.outlives)

    def forget(self, run: Run) -> None:
        """Forget the refusals, because the run need not be ended."""
        memory = self._context.memory.run(run.key)
        if memory.tried:
            memory.tried.clear()
            memory.is_stuck = False

    def _note_attempt(self, run: Run, way: Way) -> None:
        """Note a try of a way; time in which the API server was out of reach does not count."""
        now, known = self._context.clock.monotonic(), self._context.memory.run(run.key).tried
        attempt = known.setdefault(way, Attempt(now, now))
        if now - attempt.last > _OUT_OF_REACH_S:
            attempt.since = now
        attempt.last = now

    async def _ask(self, run: Run, way: Way) -> str:
        """Send the request of a way.

        Returns: why an accepted request had no effect; else empty.
        """
        if way is Way.DELETE:
            await self._context.cluster.delete_run(run)
            await self._reader.read_run(run.key)
            return ""
        asked = ASKED_BY_WAY[way]
        seen = parse_run(await self._context.cluster.cancel_run(run, asked))
        assert seen is not None, "a run that names its target goes on naming it"
        self._reader.take_in(seen)
        if seen.asked is asked:
            return ""
        return f"spec.status was accepted as {asked}, and something has made it '{seen.asked}'"

    async def _settle(self, run: Run, way: Way, error: errors.ApiError) -> str | None:
        """Find out the consequence of an error.

        Returns: a final refusal; empty where the request was carried out after all; None where the
            run no longer exists.
        Raises: the error, where it may be temporary.
        """
        if _is_final(error):
            answer = errors.text_for_logs(error)
            self._log.warning("a run cannot be ended in this way", way=str(way), error=answer)
            return str(error)
        seen = await self._reader.read_run(run.key)
        is_active = seen is not None and seen.uid == run.uid and seen.state is RunState.ACTIVE
        if isinstance(error, errors.UnavailableError) and seen is not None:
            asked = ASKED_BY_WAY.get(way)
            if not is_active if asked is None else seen.asked is asked:
                return ""
        if not is_active:
            return None
        self._refuse(run, way, str(error), is_final=False)
        raise error

    def _refuse(self, run: Run, way: Way, refusal: str, *, is_final: bool) -> None:
        attempt = self._context.memory.run(run.key).tried[way]
        attempt.refusal, attempt.is_final = refusal, is_final
        if way is Way.DELETE and is_final:
            self._record_not_ended(run)

    def _record_not_ended(self, run: Run) -> None:
        memory = self._context.memory.run(run.key)
        if not memory.is_stuck:
            memory.is_stuck = True
            note = self.describe(run)
            self._context.recorder.about_run(
                run, events.RUN_NOT_ENDED, note, kind="Warning", quotes=True
            )

    def _record(self, run: Run, verdict: EndRun, before: Mapping[Way, Tried]) -> None:
        note = note_of_end(run, verdict, before, self._context.policy.cancel_grace)
        is_delete = verdict.way is Way.DELETE
        if verdict.reason is EndReason.SECOND_ON_TARGET:
            self._context.recorder.lock_violated(run, note)
        elif verdict.reason is EndReason.EXECUTION_DELETED:
            self._context.recorder.about_run(run, events.DELETED, note, quotes=is_delete)
        elif not is_delete:
            self._context.recorder.about_run(run, events.RUN_CANCELLED, note, kind="Warning")
        if is_delete:
            self._context.recorder.about_run(
                run, events.RUN_DELETED, note, kind="Warning", quotes=True
            )


def _is_final(error: errors.ApiError) -> bool:
    """Whether the same request would be refused again at once."""
    passes = errors.MissingRightError | errors.NamespaceTerminatingError
    is_refusal = isinstance(error, errors.RejectedError | errors.ForbiddenError)
    return is_refusal and not isinstance(error, passes)
