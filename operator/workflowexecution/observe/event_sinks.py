"""Receivers of launches and phases, in addition to Events and metrics: traces and CloudEvents.

Both are off by default. The packages that they need are an extra, and imported only where a sink
is turned on.
"""

from datetime import datetime
from typing import Protocol

from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.observe.metrics import Metrics


class EventSink(Protocol):
    """Gets each result after it was written; must return at once and never raises."""

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
        """A phase was written; ``execution`` is as it was before."""
        ...

    async def close(self) -> None:
        """Send what is left, within a few seconds."""
        ...


def open_event_sinks(
    metrics: Metrics, *, traces_endpoint: str, cloudevents_sink: str
) -> tuple[EventSink, ...]:
    """Make those for which it is known where to send to.

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
            from workflowexecution.observe.cloud_events import CloudEventSink
        except ImportError as error:
            raise ValueError(_missing("cloudevents_sink", "cloudevents", error)) from error
        event_sinks.append(
            CloudEventSink(cloudevents_sink, metrics.cloud_events, with_trace=bool(traces_endpoint))
        )
    return tuple(event_sinks)


def _missing(setting: str, extra: str, error: ImportError) -> str:
    return (
        f"{setting} is set, but {error.name} is not installed; "
        f"install workflowexecution-operator[{extra}], or leave it empty"
    )
