"""The one place that writes: an execution's status, and with it its Events and its metrics."""

import asyncio
from typing import Any

import structlog
import tenacity

from workflowexecution.api.status import WorkflowExecutionStatus
from workflowexecution.control.cluster import Cluster
from workflowexecution.control.ledger import Ledger
from workflowexecution.control.policy import Policy
from workflowexecution.control.workqueue import BACKOFF
from workflowexecution.core.diagnosis.diagnose import Diagnosis
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.facts.execution import Execution, parse_execution
from workflowexecution.core.status.compose import status_for
from workflowexecution.core.status.outcome import Outcome, outcome_of_failure
from workflowexecution.core.status.patch import parse_status, status_patch, status_to_json
from workflowexecution.kube import errors
from workflowexecution.observe import events
from workflowexecution.observe.metrics import Metrics


class StatusWriter:
    """Writes outcomes: at most one guarded status patch each, none where nothing has changed."""

    def __init__(self, cluster: Cluster, ledger: Ledger, policy: Policy, metrics: Metrics) -> None:
        self._cluster = cluster
        self._ledger = ledger
        self._policy = policy
        self._metrics = metrics
        self._pending: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger("status")

    async def write(self, execution: Execution, outcome: Outcome) -> None:
        """Write an outcome.

        Raises: ConflictError where the execution has changed; other ApiErrors without an answer.
        """
        raw = execution.raw
        if raw is None:
            return  # It has ended meanwhile, which somebody else has written.
        now = self._policy.clock()
        before = parse_status(raw.get("status") or {})
        generation = raw["metadata"].get("generation", 1)
        after = status_for(before, outcome, generation=generation, now=now)
        patch = status_patch(raw.get("status") or {}, status_to_json(after))
        if not patch:
            return
        reply = await self._cluster.patch_status(execution, patch)
        self._ledger.observe_execution(parse_execution(reply))
        self._tell(execution, before, after)

    async def fail(self, execution: Execution, diagnosis: Diagnosis) -> None:
        """Write a failure that no run tells of, as of now."""
        now = self._policy.clock()
        failure = details_of(
            diagnosis, execution, started_at=execution.started_at or now, failed_at=now
        )
        await self.write(execution, outcome_of_failure(failure))

    def alarm(self, execution: Execution, note: str) -> None:
        """Tell loudly of two runs that were active on one target."""
        now = self._policy.clock()
        self._metrics.lock_violations.inc()
        self._log.error("two runs on one target", note=note)
        self.record(events.build_event(execution, events.LOCK_VIOLATED, note, now, kind="Warning"))

    def record(self, event: dict[str, Any]) -> None:
        """Record an Event without waiting for it."""
        task = asyncio.create_task(self._post(event))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def close(self, *, grace: float) -> None:
        """Give Events under way this many seconds to be recorded."""
        if self._pending:
            await asyncio.wait(self._pending, timeout=grace)

    def _tell(
        self,
        execution: Execution,
        before: WorkflowExecutionStatus,
        after: WorkflowExecutionStatus,
    ) -> None:
        now = self._policy.clock()
        namespace = self._policy.template.namespace
        for event in events.events_for(execution, before, after, run_namespace=namespace, now=now):
            self.record(event)
        if after.phase is None or after.phase == before.phase:
            return
        self._log.info(
            "phase changed",
            phase=str(after.phase),
            was=str(before.phase or ""),
            run=after.pipeline_run_ref.name if after.pipeline_run_ref else "",
        )
        if not after.phase.is_terminal:
            return
        self._metrics.executions.labels(outcome=after.phase).inc()
        if after.duration is not None:
            seconds = after.duration.total_seconds()
            self._metrics.duration.labels(outcome=after.phase).observe(seconds)
        if after.skip_details is not None:
            self._metrics.skips.labels(reason=after.skip_details.reason).inc()

    async def _post(self, event: dict[str, Any]) -> None:
        try:
            async for attempt in tenacity.AsyncRetrying(
                wait=BACKOFF,
                stop=tenacity.stop_after_delay(120),
                retry=tenacity.retry_if_exception_type(errors.UnavailableError),
                reraise=True,
            ):
                with attempt:
                    await self._cluster.create_event(event)
        except errors.AlreadyExistsError:
            return
        except errors.ApiError as error:
            # An Event is a courtesy: what it says is in the status, which has been written.
            self._log.warning("event not recorded", reason=event["reason"], error=str(error))
