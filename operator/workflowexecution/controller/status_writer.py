"""The only writer of an execution's status; it also starts what follows a write."""

from dataclasses import replace
from datetime import datetime

import structlog

from workflowexecution.cache.memory import StatusChange
from workflowexecution.controller.context import Context
from workflowexecution.controller.live_reads import LiveReads
from workflowexecution.core import guards
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.guards import advised
from workflowexecution.core.status.compose import change_status, status_patch, status_to_json
from workflowexecution.core.status.outcome import Outcome
from workflowexecution.kube import errors


class StatusWriter:
    """Writes outcomes: at most one guarded status patch each; none where nothing has changed."""

    def __init__(self, context: Context, reader: LiveReads) -> None:
        self._context = context
        self._reader = reader
        self._log = structlog.get_logger("status")

    async def write(self, execution: Execution, outcome: Outcome) -> None:
        """Write an outcome, and record its changes.

        Raises: ConflictError where the execution has changed; UnavailableError where the result is
            not known, which ``settle_unconfirmed`` then finds out; RejectedError or ForbiddenError
            where it is refused, which an Event reports.
        """
        now = self._context.clock.now()
        before, after, patch = change_status(
            execution.raw.get("status") or {},
            self._advised(execution, outcome, now),
            generation=execution.generation,
            now=now,
            asked=execution.pinned_digest,
        )
        if not patch:
            return
        change = StatusChange(execution, before, after)
        memory = self._context.memory.execution(execution.uid)
        try:
            reply = parse_execution(await self._context.cluster.patch_status(execution, patch))
        except errors.UnavailableError:
            memory.unconfirmed = change
            raise
        except (errors.RejectedError, errors.ForbiddenError) as error:
            if not memory.refused:
                self._context.recorder.status_refused(execution, error)
            memory.refused = str(error)
            raise
        memory.refused = ""
        memory.written_version = reply.resource_version
        self._context.store.observe_execution(reply, now=now)
        self._context.recorder.announce(StatusChange(reply, before, after))

    def _advised(self, execution: Execution, outcome: Outcome, now: datetime) -> Outcome:
        """The outcome; a failure with its number in a row, and when the same may run again."""
        if outcome.failure is None:
            return outcome
        policy, outcome = self._context.policy, self._counted(execution, outcome, now)
        return advised(outcome, execution, guards=policy.guards, cooldown=policy.cooldown, now=now)

    def _counted(self, execution: Execution, outcome: Outcome, now: datetime) -> Outcome:
        """The outcome, with the number of failures in a row if they are counted."""
        policy = self._context.policy
        if not policy.guards.retry_limit:
            return outcome
        earlier = self._context.store.endings.before(execution)
        return guards.counted(outcome, earlier, policy.guards, policy.cooldown, now)

    async def settle_unconfirmed(self, uid: str) -> None:
        """Find out whether an unanswered write was carried out; if so, record it."""
        memory = self._context.memory.execution(uid)
        change = memory.unconfirmed
        if change is None:
            return
        execution = change.execution
        seen = await self._reader.read_execution(execution.namespace, execution.name, uid)
        memory.unconfirmed = None
        if seen is not None:
            held = seen.raw.get("status") or {}
            if not status_patch(held, status_to_json(change.after)):
                self._context.recorder.announce(replace(change, execution=seen))
