"""CloudEvents of phases, sent by HTTP in binary mode; not guaranteed, and nothing waits for them.

Imported only where it is used.
"""

import asyncio
from datetime import datetime
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import structlog
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event
from cloudevents.core.v1.event import CloudEvent
from prometheus_client import Counter

from workflowexecution.api import identity, reading
from workflowexecution.api.status import Phase
from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.pipelinerun import trace_of
from workflowexecution.core.status.compose import status_to_json
from workflowexecution.kube import retry
from workflowexecution.observe.events import ending_of

TYPE_PREFIX: Final = "ai.kubernaut.workflowexecution"
# About a megabyte: events are small, and one that is older than a thousand others is no news.
QUEUE_LIMIT: Final = 1000
_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)
_CLOSE_S: Final = 3.0
_REQUEST: Final = ("namespace", "name", "uid")
_PASSING: Final = (408, 425, 429)


class _NotTakenError(Exception):
    """The sink did not take an event, and may take it later."""


class _RefusedError(Exception):
    """The sink does not want an event."""


_PASSING_ERRORS: Final = (_NotTakenError, aiohttp.ClientConnectionError, TimeoutError)


class CloudEventSink:
    """Sends one event for each phase, in order; what does not fit into its queue is dropped."""

    def __init__(self, sink: str, results: Counter, *, with_trace: bool = False) -> None:
        self._sink = sink
        self._results = results
        self._with_trace = with_trace
        self._queue: asyncio.Queue[HTTPMessage] = asyncio.Queue(QUEUE_LIMIT)
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        self._sender = asyncio.create_task(self._send_all(), name="CloudEvents")
        self._log = structlog.get_logger("cloudevents")

    def launched(self, execution: Execution, run: Run, *, seconds: float, now: datetime) -> None:
        """Nothing: the phase tells it."""

    def phase_changed(
        self,
        execution: Execution,
        before: WorkflowExecutionStatus,
        after: WorkflowExecutionStatus,
        *,
        now: datetime,
    ) -> None:
        """See EventSink."""
        event = build_event(execution, before, after, now, with_trace=self._with_trace)
        try:
            self._queue.put_nowait(to_binary_event(event))
        except asyncio.QueueFull:
            self._count("dropped")

    async def close(self) -> None:
        """See EventSink."""
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._queue.join()
        except TimeoutError:
            left = self._queue.qsize() + 1
            self._log.warning("CloudEvents not sent before the end", number=left)
            self._count("dropped", left)
        self._sender.cancel()
        await asyncio.gather(self._sender, return_exceptions=True)
        await self._session.close()

    async def _send_all(self) -> None:
        while True:
            message = await self._queue.get()
            try:
                await self._send_patiently(message)
                self._count("delivered")
            except Exception as error:
                self._count("failed")
                what = message.headers.get("ce-type", "")
                self._log.warning("CloudEvent not delivered", type=what, error=str(error))
            finally:
                self._queue.task_done()

    async def _send_patiently(self, message: HTTPMessage) -> None:
        await retry.a_few_times(partial(self._send, message), on=_PASSING_ERRORS)

    async def _send(self, message: HTTPMessage) -> None:
        async with self._session.post(
            self._sink, data=message.body, headers=message.headers, allow_redirects=False
        ) as response:
            # The URL is left out: it may contain a token.
            answered = f"the sink answered {response.status}"
            if response.status >= 500 or response.status in _PASSING:
                raise _NotTakenError(answered)
            if response.status >= 300:
                raise _RefusedError(answered)

    def _count(self, result: str, number: int = 1) -> None:
        self._results.labels(result=result).inc(number)


def build_event(
    execution: Execution,
    before: WorkflowExecutionStatus,
    after: WorkflowExecutionStatus,
    now: datetime,
    *,
    with_trace: bool = False,
) -> CloudEvent:
    """Build the event of a phase; its id makes telling of it twice harmless.

    Args:
        execution: whose phase it is.
        before: its status before.
        after: its status with the phase.
        now: when the phase was written.
        with_trace: whether to name the execution's span, for what the event leads to.
    """
    assert after.phase is not None
    attributes = {
        "id": f"{execution.uid}-{after.phase.lower()}",
        "source": _source(execution),
        "type": f"{TYPE_PREFIX}.{after.phase.lower()}.v1",
        "specversion": "1.0",
        "subject": f"{execution.namespace}/{execution.name}",
        "time": now,
        "datacontenttype": "application/json",
    }
    if with_trace:
        attributes["traceparent"] = trace_of(execution).traceparent
    return CloudEvent(attributes, _data(execution, before, after))


def _source(execution: Execution) -> str:
    """The path of the execution in the API, which is a URI reference."""
    namespace, name = quote(execution.namespace), quote(execution.name)
    return f"/apis/{identity.API_VERSION}/namespaces/{namespace}/{identity.PLURAL}/{name}"


def _data(
    execution: Execution, before: WorkflowExecutionStatus, after: WorkflowExecutionStatus
) -> dict[str, Any]:
    """Data of the event, without output of the steps, which may quote a parameter."""
    request = reading.mapping(execution.raw, "spec", "remediationRequestRef")
    told = status_to_json(after)
    shared = ("startTime", "completionTime", "duration")
    assert after.phase is not None
    is_over = after.phase.is_terminal
    data = {
        "workflowExecution": {
            "apiVersion": identity.API_VERSION,
            "kind": identity.KIND,
            "namespace": execution.namespace,
            "name": execution.name,
            "uid": execution.uid,
        },
        "remediationRequest": {key: request[key] for key in _REQUEST if key in request},
        "workflowId": execution.workflow_id,
        "targetResource": execution.target,
        "phase": after.phase,
        "previousPhase": before.phase or "",
        "reason": _reason(after),
        "message": ending_of(after, execution) if is_over else "",
        "pipelineRun": told.get("pipelineRunRef"),
        **{key: told.get(key) for key in shared},
    }
    return {key: said for key, said in data.items() if said not in (None, "", {})}


def _reason(after: WorkflowExecutionStatus) -> str:
    if after.skip_details:
        return str(after.skip_details.reason)
    return after.failure_reason or (str(after.phase) if after.phase is Phase.COMPLETED else "")
