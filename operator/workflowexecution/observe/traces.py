"""Traces by OpenTelemetry, sent over OTLP/HTTP: from an execution to its run to its status.

Spans are made from facts, after the step that they describe has ended; see core/pipelinerun.py
for their ids. A thread of the SDK sends them from a bounded queue. Imported only where it is used.
"""

import asyncio
import socket
import threading
from datetime import datetime
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.util.types import Attributes

from workflowexecution import __version__
from workflowexecution.api import reading
from workflowexecution.api.status import Phase
from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.core import names
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.pipelinerun import TraceContext, trace_of

_REQUEST_S: Final = 5.0
_CLOSE_S: Final = 3.0


class TraceSink:
    """Makes the spans of executions; one that no orchestrator wants sampled has none."""

    def __init__(self, endpoint: str) -> None:
        self._ids = _GivenIds()
        resource = Resource.create(
            {
                "service.name": names.MANAGED_BY,
                "service.version": __version__,
                "service.instance.id": socket.gethostname(),
            }
        )
        # The creator of an execution decides on its sampling, and Tekton gets the same decision.
        self._provider = TracerProvider(
            sampler=ParentBased(ALWAYS_ON),
            resource=resource,
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        exporter = OTLPSpanExporter(endpoint=endpoint, timeout=_REQUEST_S)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("workflowexecution", __version__)

    def open(self, journal: object) -> None:
        """Nothing: a span that was lost is not sent again."""

    def launched(self, execution: Execution, run: Run, *, seconds: float, now: datetime) -> None:
        """See EventSink."""
        trace, end = trace_of(execution), _nanoseconds(now)
        told = {"tekton.pipelinerun.namespace": run.namespace, "tekton.pipelinerun.name": run.name}
        start = end - int(seconds * 1e9)
        self._span("create PipelineRun", _beneath(trace), start, end, told)

    def phase_changed(
        self,
        execution: Execution,
        before: WorkflowExecutionStatus,
        after: WorkflowExecutionStatus,
        *,
        now: datetime,
    ) -> None:
        """See EventSink."""
        if after.phase is None or not after.phase.is_terminal:
            return
        trace, end = trace_of(execution), _nanoseconds(now)
        is_error = after.phase is Phase.FAILED
        ended = _nanoseconds(after.completion_time or now)
        if after.pipeline_run_ref and after.start_time:
            self._ids.span_id = int(trace.run_id, 16)
            start = _nanoseconds(after.start_time)
            run = {"tekton.pipelinerun.name": after.pipeline_run_ref.name}
            self._span("PipelineRun", _beneath(trace), start, ended, run, is_error=is_error)
        self._span("write status", _beneath(trace), min(ended, end), end)
        self._ids.trace_id, self._ids.span_id = int(trace.trace_id, 16), int(trace.execution_id, 16)
        created = reading.moment(execution.raw["metadata"], "creationTimestamp") or now
        told = _attributes(execution, after)
        start = min(_nanoseconds(created), end)
        self._span("WorkflowExecution", _beneath_parent(trace), start, end, told, is_error=is_error)

    async def leave(self) -> None:
        """Nothing: spans are sent without the cluster."""

    async def close(self) -> None:
        """See EventSink."""
        # The SDK waits for its queue to be sent, which a collector that hangs makes long.
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, _CLOSE_S)

    def _span(
        self,
        name: str,
        context: Context,
        start: int,
        end: int,
        attributes: Attributes = None,
        *,
        is_error: bool = False,
    ) -> None:
        """Make one span; times are in nanoseconds."""
        span = self._tracer.start_span(
            name, context=context, start_time=start, attributes=attributes
        )
        if is_error:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)


class _GivenIds(RandomIdGenerator):
    """Gives the ids that were set, once; random ones after that."""

    trace_id = 0
    span_id = 0

    def generate_span_id(self) -> int:
        given, self.span_id = self.span_id, 0
        return given or super().generate_span_id()

    def generate_trace_id(self) -> int:
        given, self.trace_id = self.trace_id, 0
        return given or super().generate_trace_id()


def _beneath(trace: TraceContext) -> Context:
    """Beneath the execution's span."""
    return _context(trace, trace.execution_id)


def _beneath_parent(trace: TraceContext) -> Context:
    """The parent is the span of the creator; without one, a new trace begins."""
    return _context(trace, trace.parent_id) if trace.parent_id else Context()


def _context(trace: TraceContext, span_id: str) -> Context:
    flags = TraceFlags(TraceFlags.SAMPLED if trace.is_sampled else TraceFlags.DEFAULT)
    parent = SpanContext(
        int(trace.trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=flags
    )
    return set_span_in_context(NonRecordingSpan(parent), Context())


def _attributes(execution: Execution, after: WorkflowExecutionStatus) -> dict[str, str]:
    """Attributes of an execution, without anything that steps or parameters contain."""
    skip = after.skip_details
    return {
        "k8s.namespace.name": execution.namespace,
        "workflowexecution.name": execution.name,
        "workflowexecution.uid": execution.uid,
        "workflowexecution.workflow_id": execution.workflow_id,
        "workflowexecution.target": execution.target,
        "workflowexecution.phase": str(after.phase),
        "workflowexecution.reason": str(skip.reason if skip else after.failure_reason or ""),
    }


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000
