"""The recorder: Events, metrics and log lines about completed actions, and receivers of these.

The receivers, traces and CloudEvents, are off by default. The packages that they need are an extra,
and imported only where a receiver is turned on.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import structlog

from workflowexecution.api.status import TERMINAL_PHASES, UNTIL_CLEARED
from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.cache.memory import StatusChange
from workflowexecution.client.cluster import Cluster
from workflowexecution.controller.journal import Journal
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import TaskRun
from workflowexecution.kube import errors, retry
from workflowexecution.kube.clock import Clock
from workflowexecution.observe import events
from workflowexecution.observe.metrics import Metrics

# A later Event would be too old to be useful.
_RECORD_WITHIN_S: Final = 120.0
# Few, so that in a burst the status writes, which users wait for, go before the Events.
_EVENTS_AT_ONCE: Final = 4


class EventSink(Protocol):
    """Gets each result after it was written; must return at once and never raises."""

    def open(self, journal: Journal) -> None:
        """The operator works from now on: send what an earlier one may not have sent."""
        ...

    def launched(self, execution: Execution, run: Run, *, seconds: float, now: datetime) -> None:
        """A run was created, so many seconds after it was decided to."""
        ...

    def phase_changed(
        self,
        execution: Execution,
        before: WorkflowExecutionStatus,
        after: WorkflowExecutionStatus,
        *,
        now: datetime,
    ) -> None:
        """A phase was written; ``execution`` is as it is with it, and whole."""
        ...

    async def leave(self) -> None:
        """The operator has written its last result; after this the journal is closed."""
        ...

    async def close(self) -> None:
        """End, within a few seconds."""
        ...


def open_event_sinks(
    metrics: Metrics, window: timedelta, *, traces_endpoint: str, cloudevents_sink: str
) -> tuple[EventSink, ...]:
    """Make those for which it is known where to send to.

    ``window`` is how long a CloudEvent is sent again.

    Raises: ValueError naming the setting where its extra is not installed.
    """
    event_sinks: list[EventSink] = []
    if traces_endpoint:
        try:
            from workflowexecution.observe.traces import TraceSink
        except ImportError as error:
            raise ValueError(_missing("traces_endpoint", "traces", error)) from error
        event_sinks.append(TraceSink(traces_endpoint))
    if cloudevents_sink:
        try:
            from workflowexecution.observe.cloud_event_sink import CloudEventSink
        except ImportError as error:
            raise ValueError(_missing("cloudevents_sink", "cloudevents", error)) from error
        event_sinks.append(
            CloudEventSink(
                cloudevents_sink,
                metrics.cloud_events,
                window=window,
                with_trace=bool(traces_endpoint),
            )
        )
    return tuple(event_sinks)


def _missing(setting: str, extra: str, error: ImportError) -> str:
    return (
        f"{setting} is set, but {error.name} is not installed; "
        f"install workflowexecution-operator[{extra}], or leave it empty"
    )


class Recorder:
    """Records Events in the background, and counts actions."""

    def __init__(
        self,
        cluster: Cluster,
        metrics: Metrics,
        clock: Clock,
        event_sinks: Sequence[EventSink] = (),
    ) -> None:
        self._event_sinks = event_sinks
        self._cluster = cluster
        self._metrics = metrics
        self._clock = clock
        self._pending: set[asyncio.Task[None]] = set()
        self._sending = asyncio.Semaphore(_EVENTS_AT_ONCE)
        self._log = structlog.get_logger("announcer")

    def open(self, journal: Journal) -> None:
        """Have the receivers begin, as the operator works from now on."""
        self._each(lambda one: one.open(journal))

    def announce(self, change: StatusChange) -> None:
        """Record a status that was written."""
        before, after = change.before, change.after
        now = self._clock.now()
        for event in events.events_for(change.execution, before, after, now=now):
            self._record(event)
        if after.phase is None or after.phase == before.phase:
            return
        self._each(lambda one: one.phase_changed(change.execution, before, after, now=now))
        run = after.pipeline_run_ref
        self._log.info(
            "phase changed",
            phase=str(after.phase),
            was=str(before.phase or ""),
            run=run.name if run else "",
        )
        if after.phase not in TERMINAL_PHASES:
            return
        self._metrics.executions.labels(outcome=after.phase).inc()
        if after.duration is not None:
            seconds = after.duration.total_seconds()
            self._metrics.duration.labels(outcome=after.phase).observe(seconds)
        if run is not None and after.completion_time is not None:
            since_end = (now - after.completion_time).total_seconds()
            self._metrics.end_to_status.observe(max(since_end, 0.0))
        if after.skip_details is not None:
            reason = after.skip_details.reason
            self._metrics.skips.labels(reason=reason).inc()
            if reason in UNTIL_CLEARED:
                self._metrics.backoff_skips.labels(reason=reason).inc()

    def run_created(
        self,
        execution: Execution,
        run: Run,
        *,
        due_at: datetime,
        decided_at: datetime,
        now: datetime,
    ) -> None:
        """Record a run that was created; its Event follows with the status that names it.

        ``due_at`` is when it was free to be launched: the time on hold before it does not count.
        """
        seconds = (now - decided_at).total_seconds()
        self._metrics.runs_created.inc()
        self._metrics.decision_to_launch.observe(seconds)
        self._metrics.creation_to_launch.observe(max((now - due_at).total_seconds(), 0.0))
        self._log.info("PipelineRun created", run=run.name)
        self._each(lambda one: one.launched(execution, run, seconds=seconds, now=now))

    def lock_violated(self, run: Run, note: str) -> None:
        """Record, as an error, that two runs were active on one target."""
        self._metrics.lock_violations.inc()
        self._log.error("two runs on one target", note=note)
        self.about_run(run, events.LOCK_VIOLATED, note, kind="Warning")

    def lock_released(self, run: Run) -> None:
        """Record that a run which outlived its execution no longer holds its target."""
        target = run.target or "its target"
        note = f"nothing of PipelineRun {run.namespace}/{run.name} executes: {target} is free"
        self.about_run(run, events.LOCK_RELEASED, note)

    def status_refused(self, execution: Execution, error: errors.ApiError) -> None:
        """Record a status that the API server refuses: the execution itself cannot show it."""
        self._log.warning("status refused", error=errors.text_for_logs(error))
        # Only our own text: the answer may quote a parameter.
        why = errors.text_for_logs(error)
        note = f"the status cannot be written, so it shows an earlier state: {why}"
        now = self._clock.now()
        self._record(
            events.build_event(execution, events.STATUS_NOT_WRITTEN, note, now, kind="Warning")
        )

    def pod_deleted(self, run: Run, pod: str) -> None:
        """Record the deletion of a pod that Tekton had left behind."""
        self._metrics.leftover_pods_deleted.inc()
        note = (
            f"deleted pod {run.namespace}/{pod}, which did not stop after PipelineRun {run.name} "
            "had ended and kept its target held"
        )
        self.about_run(run, events.POD_DELETED, note, kind="Warning")

    def child_deleted(self, run: Run, child: TaskRun) -> None:
        """Record the deletion of a custom task, or of a run that is a task, which did not end."""
        note = (
            f"deleted {child.kind} {child.namespace}/{child.name} of task {child.called!r}, which "
            f"did not end after PipelineRun {run.name} had ended and kept its target held"
        )
        self.about_run(run, events.CHILD_DELETED, note, kind="Warning")

    def about_run(
        self, run: Run, reason: str, note: str, *, kind: str = "Normal", quotes: bool = False
    ) -> None:
        """Record an Event about the execution of a run, if it has one.

        quotes: whether the note quotes an answer, which may quote an object; then it is not logged.
        """
        logged = "it quotes an answer, so it is not logged" if quotes else note
        self._log.info("about a run", reason=reason, note=logged)
        if run.owner is None:
            return
        related, now = events.reference_of_run(run.namespace, run.name), self._clock.now()
        self._record(events.build_event(run.owner, reason, note, now, kind=kind, related=related))

    async def close(self, *, grace: float) -> None:
        """Wait at most this many seconds for pending Events, and let the receivers leave."""
        if self._pending:
            await asyncio.wait(self._pending, timeout=grace)
        leaving = [sink.leave() for sink in self._event_sinks]
        for outcome in await asyncio.gather(*leaving, return_exceptions=True):
            if isinstance(outcome, Exception):
                self._log.error("a sink failed", exc_info=outcome)

    def _each(self, call: Callable[[EventSink], None]) -> None:
        """Call every sink; the failure of one affects neither the action nor the other sinks."""
        for sink in self._event_sinks:
            try:
                call(sink)
            except Exception as error:
                self._log.error("a sink failed", exc_info=error)

    def _record(self, event: dict[str, Any]) -> None:
        task = asyncio.create_task(self._post(event))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _post(self, event: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(_RECORD_WITHIN_S):
                await self._post_patiently(event)
        except errors.AlreadyExistsError:
            return
        except (errors.ApiError, TimeoutError) as error:
            # An Event is not guaranteed: its content is in the status, which has been written.
            answer = errors.text_for_logs(error) or "no answer in time"
            self._log.warning("event not recorded", reason=event["reason"], error=answer)

    async def _post_patiently(self, event: dict[str, Any]) -> None:
        async def post() -> None:
            # For one attempt, not for all: an Event that is refused must not block the others.
            async with self._sending:
                await self._cluster.create_event(event)

        await retry.as_the_server_asks(post, errors.UnavailableError)
