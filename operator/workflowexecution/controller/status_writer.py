"""The one place that writes an execution's status, and what follows from a write that is done."""

from datetime import datetime

import structlog

from workflowexecution.cache.memory import Memory, StatusChange
from workflowexecution.cache.store import Store
from workflowexecution.client.cluster import Cluster
from workflowexecution.controller.live_reads import LiveReads
from workflowexecution.controller.recorder import Recorder
from workflowexecution.core import guards
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.policy import Policy
from workflowexecution.core.status.compose import (
    parse_status,
    status_for,
    status_patch,
    status_to_json,
)
from workflowexecution.core.status.outcome import Outcome
from workflowexecution.kube import errors
from workflowexecution.kube.clock import Clock


class StatusWriter:
    """Writes outcomes: at most one guarded status patch each, none where nothing has changed."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        memory: Memory,
        reader: LiveReads,
        recorder: Recorder,
        policy: Policy,
        clock: Clock,
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._memory = memory
        self._reader = reader
        self._recorder = recorder
        self._policy = policy
        self._clock = clock
        self._log = structlog.get_logger("status")

    async def write(self, execution: Execution, outcome: Outcome) -> None:
        """Write an outcome and announce what is new in it.

        Raises: ConflictError where the execution has changed; UnavailableError where it is not
            known whether the write was carried out: ``settle_unconfirmed`` finds out; RejectedError
            or ForbiddenError where it is refused, which an Event tells.
        """
        now = self._clock.now()
        change = self._change_by(execution, outcome, now)
        held = execution.raw.get("status") or {}
        patch = status_patch(held, status_to_json(change.after))
        if not patch:
            return
        memory = self._memory.execution(execution.uid)
        try:
            reply = parse_execution(await self._cluster.patch_status(execution, patch))
        except errors.UnavailableError:
            memory.unconfirmed = change
            raise
        except (errors.RejectedError, errors.ForbiddenError) as error:
            if not memory.refused:
                self._recorder.status_refused(execution, error)
            memory.refused = str(error)
            raise
        memory.refused = ""
        memory.written_version = reply.resource_version
        self._store.observe_execution(reply, now=now)
        self._recorder.announce(change)

    def _change_by(self, execution: Execution, outcome: Outcome, now: datetime) -> StatusChange:
        """What an outcome makes of a status, with the failures in a row where they are counted."""
        policy = self._policy
        earlier = self._store.endings.before(execution)
        counted = guards.counted(outcome, earlier, policy.guards, policy.cooldown, now)
        before = parse_status(execution.raw.get("status") or {})
        generation, asked = execution.generation, execution.pinned_digest
        after = status_for(before, counted, generation=generation, now=now, asked=asked)
        return StatusChange(execution, before, after)

    async def settle_unconfirmed(self, uid: str) -> None:
        """Find out whether a write that was not answered was carried out; announce it if so."""
        memory = self._memory.execution(uid)
        change = memory.unconfirmed
        if change is None:
            return
        execution = change.execution
        seen = await self._reader.read_execution(execution.namespace, execution.name, uid)
        memory.unconfirmed = None
        if seen is not None:
            held = seen.raw.get("status") or {}
            if not status_patch(held, status_to_json(change.after)):
                self._recorder.announce(change)
