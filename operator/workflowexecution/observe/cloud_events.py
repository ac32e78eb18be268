"""CloudEvents of phases, each built from an execution alone: the same one at every time.

So an event can be sent again after a crash, by any operator, and receivers drop it by its id.
Imported only where it is used.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from cloudevents.core.bindings.http import HTTPMessage, to_binary_event
from cloudevents.core.v1.event import CloudEvent

from workflowexecution.api import identity, reading
from workflowexecution.api.status import BUNDLE_VERIFIED, Phase
from workflowexecution.api.status_model import Condition, WorkflowExecutionStatus
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.pipelinerun import trace_of
from workflowexecution.core.status.compose import (
    PIPELINE_RUN_CREATED,
    SUCCEEDED,
    parse_status,
    status_to_json,
)
from workflowexecution.observe.events import ending_of

TYPE_PREFIX: Final = "ai.kubernaut.workflowexecution"
_REQUEST: Final = ("namespace", "name", "uid")
_OF_THE_END: Final = (
    *("completionTime", "duration", "skipDetails", "consecutiveFailures", "nextAllowedExecution"),
)
# Both may quote what a step has written, and that may be a parameter.
_QUOTING: Final = ("message", "naturalLanguageSummary")


@dataclass(frozen=True, slots=True)
class Notice:
    """The event of one phase, ready to be sent.

    id: the same each time the event is built.
    at: when the phase was written, aware UTC.
    """

    id: str
    at: datetime
    message: HTTPMessage


def notices_of(
    execution: Execution,
    before: WorkflowExecutionStatus | None = None,
    *,
    with_trace: bool = False,
) -> list[Notice]:
    """The events of the phases that an execution has been in, in order.

    Args:
        execution: with its status.
        before: an earlier status, whose phases are left out; None for none.
        with_trace: whether to name the execution's span, for what the events lead to.
    """
    status = parse_status(reading.mapping(execution.raw, "status"))
    known = _phases_of(before) if before else ()
    found = []
    for phase in _phases_of(status):
        at = _written_at(status, phase)
        if phase not in known and at is not None:
            event = build_event(execution, status, phase, at, with_trace=with_trace)
            found.append(Notice(event.get_id(), at, to_binary_event(event)))
    return found


def last_change_of(raw: Mapping[str, Any]) -> str:
    """When the status of an execution last changed its meaning, as its conditions say; or empty."""
    conditions = reading.mappings(raw, "status", "conditions")
    return max((reading.text(item, "lastTransitionTime") for item in conditions), default="")


def build_event(
    execution: Execution,
    status: WorkflowExecutionStatus,
    phase: Phase,
    at: datetime,
    *,
    with_trace: bool = False,
) -> CloudEvent:
    """Build the event of a phase that the status shows; ``at`` is when that was written."""
    attributes = {
        "id": f"{execution.uid}-{phase.lower()}",
        "source": _source(execution),
        "type": f"{TYPE_PREFIX}.{phase.lower()}.v1",
        "specversion": "1.0",
        "subject": f"{execution.namespace}/{execution.name}",
        "time": at,
        "datacontenttype": "application/json",
    }
    if with_trace:
        attributes["traceparent"] = trace_of(execution).traceparent
    return CloudEvent(attributes, _data(execution, status, phase))


def _phases_of(status: WorkflowExecutionStatus) -> tuple[Phase, ...]:
    """The phases that a status proves: what has a run was Running, however short that was."""
    phase = status.phase
    if phase is None:
        return ()
    has_run = phase.is_terminal and status.pipeline_run_ref is not None
    return (Phase.RUNNING, phase) if has_run else (phase,)


def _written_at(status: WorkflowExecutionStatus, phase: Phase) -> datetime | None:
    """The time at which a phase was written; None in a status without conditions and times."""
    kind = PIPELINE_RUN_CREATED if phase is Phase.RUNNING else SUCCEEDED
    condition = _condition(status, kind)
    if condition is not None:
        return condition.last_transition_time
    return status.start_time if phase is Phase.RUNNING else status.completion_time


def _condition(status: WorkflowExecutionStatus, kind: str) -> Condition | None:
    return next((item for item in status.conditions if item.type == kind), None)


def _source(execution: Execution) -> str:
    """The path of the execution in the API, which is a URI reference."""
    namespace, name = quote(execution.namespace), quote(execution.name)
    return f"/apis/{identity.API_VERSION}/namespaces/{namespace}/{identity.PLURAL}/{name}"


def _data(execution: Execution, status: WorkflowExecutionStatus, phase: Phase) -> dict[str, Any]:
    """Data of the event, without output of the steps, which may quote a parameter."""
    spec = reading.mapping(execution.raw, "spec")
    request = reading.mapping(spec, "remediationRequestRef")
    shown = status_to_json(status)
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
        "workflowVersion": reading.text(spec, "workflowRef", "version"),
        "containerImage": reading.text(spec, "workflowRef", "containerImage"),
        "containerDigest": execution.pinned_digest,
        "parametersHash": _hash_of_parameters(execution),
        "serviceAccount": reading.text(spec, "executionConfig", "serviceAccountName")
        or identity.DEFAULT_SERVICE_ACCOUNT,
        "targetResource": execution.target,
        "phase": phase,
        "pipelineRun": shown.get("pipelineRunRef"),
        "startTime": shown.get("startTime"),
        **(_of_the_end(execution, status, shown) if phase.is_terminal else {}),
    }
    return {key: value for key, value in data.items() if value not in (None, "", {})}


def _of_the_end(
    execution: Execution, status: WorkflowExecutionStatus, shown: Mapping[str, Any]
) -> dict[str, Any]:
    verified = _condition(status, BUNDLE_VERIFIED)
    failure = shown.get("failureDetails") or {}
    return {
        "previousPhase": Phase.RUNNING if status.pipeline_run_ref else "",
        "reason": _reason(status),
        "message": ending_of(status, execution),
        **{key: shown.get(key) for key in _OF_THE_END},
        "failureDetails": {key: failure[key] for key in failure if key not in _QUOTING},
        "bundleVerified": verified.reason if verified else "",
    }


def _reason(status: WorkflowExecutionStatus) -> str:
    if status.skip_details:
        return str(status.skip_details.reason)
    return status.failure_reason or (str(status.phase) if status.phase is Phase.COMPLETED else "")


def _hash_of_parameters(execution: Execution) -> str:
    """The SHA-256 of the parameters as JSON with sorted keys and no blanks; empty if unknown."""
    if not execution.is_whole:
        return ""
    given = dict(reading.mapping(execution.raw, "spec", "parameters"))
    text = json.dumps(given, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"
