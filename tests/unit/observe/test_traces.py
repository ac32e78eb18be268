"""Traces at a real receiver, which decodes what OTLP/HTTP carries."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from builders import (
    NOW,
    TARGET,
    ago,
    finished_run,
    make_execution,
    make_run,
    make_task_run,
    raw_execution,
)
from harness.otlp import spans_at
from harness.receiver import Receiver, open_receiver
from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.core import names
from workflowexecution.core.diagnosis.diagnose import diagnose
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.pipelinerun import trace_of
from workflowexecution.core.status.compose import status_for
from workflowexecution.core.status.outcome import outcome_of_run
from workflowexecution.observe import traces
from workflowexecution.observe.traces import TraceSink

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
EMPTY = WorkflowExecutionStatus()
RUN = finished_run("mine", created_at=ago(minutes=5), completed_at=ago(minutes=1))


@pytest_asyncio.fixture
async def collector() -> AsyncIterator[Receiver]:
    async with open_receiver("/v1/traces") as receiver:
        yield receiver


def created_with(traceparent: str) -> Execution:
    raw = raw_execution("mine")
    raw["metadata"]["annotations"] = {names.TRACEPARENT: traceparent}
    return parse_execution(raw)


def status_after(execution: Execution, run: Run) -> WorkflowExecutionStatus:
    failure = None
    if run.succeeded == "False":
        said = diagnose(run, [make_task_run(message="it said hunter2")])
        failure = details_of(said, execution, started_at=run.created_at, failed_at=NOW)
    return status_for(EMPTY, outcome_of_run(run, failure), generation=1, now=NOW)


async def spans_of(collector: Receiver, execution: Execution, run: Run) -> dict[str, Span]:
    """A whole life told to a sink: the spans that arrive, by name."""
    sink = TraceSink(collector.url)
    sink.launched(execution, run, seconds=0.25, now=ago(minutes=5))
    sink.phase_changed(execution, EMPTY, status_after(execution, run), now=NOW)
    await sink.close()
    return {span.name: span for span in spans_in(collector)}


def spans_in(collector: Receiver) -> list[Span]:
    found = list(spans_at(collector))
    assert {service for service, _ in found} <= {"workflowexecution-operator"}
    return [span for _, span in found]


def moment(nanoseconds: int) -> datetime:
    return NOW.fromtimestamp(nanoseconds / 1e9, NOW.tzinfo)


def attributes_of(span: Span) -> dict[str, Any]:
    return {one.key: one.value.string_value for one in span.attributes}


async def test_one_trace_leads_from_the_execution_to_its_run_to_its_status(
    collector: Receiver,
) -> None:
    execution = make_execution("mine")
    trace = trace_of(execution)

    spans = await spans_of(collector, execution, RUN)

    assert set(spans) == {"WorkflowExecution", "create PipelineRun", "PipelineRun", "write status"}
    assert {span.trace_id.hex() for span in spans.values()} == {trace.trace_id}
    top = spans.pop("WorkflowExecution")
    assert (top.span_id.hex(), top.parent_span_id) == (trace.execution_id, b"")
    assert {span.parent_span_id.hex() for span in spans.values()} == {trace.execution_id}
    assert spans["PipelineRun"].span_id.hex() == trace.run_id
    times = {
        name: (moment(span.start_time_unix_nano), moment(span.end_time_unix_nano))
        for name, span in {**spans, "WorkflowExecution": top}.items()
    }
    assert times["WorkflowExecution"] == (ago(hours=1), NOW)
    assert times["PipelineRun"] == (ago(minutes=5), ago(minutes=1))
    assert times["write status"] == (ago(minutes=1), NOW)
    assert times["create PipelineRun"] == (
        ago(minutes=5) - timedelta(milliseconds=250),
        ago(minutes=5),
    )
    told = attributes_of(top)
    assert told["workflowexecution.target"] == TARGET
    assert told["workflowexecution.phase"] == "Completed"


async def test_the_trace_of_whoever_created_it_goes_on(collector: Receiver) -> None:
    spans = await spans_of(collector, created_with(f"00-{TRACE}-{SPAN}-01"), RUN)

    assert {span.trace_id.hex() for span in spans.values()} == {TRACE}
    assert spans["WorkflowExecution"].parent_span_id.hex() == SPAN


async def test_what_is_not_to_be_sampled_is_not_sent(collector: Receiver) -> None:
    assert await spans_of(collector, created_with(f"00-{TRACE}-{SPAN}-00"), RUN) == {}
    assert collector.taken == []


async def test_a_failure_is_an_error_and_quotes_nothing(collector: Receiver) -> None:
    run = make_run("mine", succeeded="False", reason="Failed", completed_at=ago(minutes=1))

    spans = await spans_of(collector, make_execution("mine"), run)

    for name in ("WorkflowExecution", "PipelineRun"):
        assert spans[name].status.code == spans[name].status.STATUS_CODE_ERROR
    assert attributes_of(spans["WorkflowExecution"])["workflowexecution.reason"] == "Unknown"
    assert all(b"hunter2" not in span.SerializeToString() for span in spans.values())


async def test_two_operators_tell_of_the_same_spans(collector: Receiver) -> None:
    execution = make_execution("mine")
    for _ in range(2):
        sink = TraceSink(collector.url)
        sink.phase_changed(execution, EMPTY, status_after(execution, RUN), now=NOW)
        await sink.close()

    ids = [s.span_id for s in spans_in(collector) if s.name in ("WorkflowExecution", "PipelineRun")]
    assert (len(ids), len(set(ids))) == (4, 2)


async def test_a_collector_that_is_not_there_costs_nothing_but_the_spans() -> None:
    sink, execution = TraceSink("http://127.0.0.1:1/v1/traces"), make_execution("mine")
    sink.phase_changed(execution, EMPTY, status_after(execution, RUN), now=NOW)
    await sink.close()


async def test_a_collector_that_hangs_is_not_waited_for_long(
    collector: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "_CLOSE_S", 0.1)
    collector.is_open.clear()
    sink, execution = TraceSink(collector.url), make_execution("mine")
    sink.phase_changed(execution, EMPTY, status_after(execution, RUN), now=NOW)
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    await sink.close()
    assert loop.time() - began_at < 2
    await collector.until(1)
