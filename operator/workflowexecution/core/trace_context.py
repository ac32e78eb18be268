"""The place of an execution in a trace, derived from the execution alone.

Ids are made from its UID, so that every operator gives the same ones, even after a restart. So no
span has to stay open while a run is active.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Final

from workflowexecution.api import reading
from workflowexecution.core import names
from workflowexecution.core.facts.execution import Execution

# The format of W3C's Trace Context; a later version may have more fields at the end.
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Ids in lower-case hex: 32 digits of a trace, 16 of a span.

    parent_id: the span of the execution's creator; empty where the execution names none.
    is_sampled: false where the creator wants nothing recorded.
    """

    trace_id: str
    parent_id: str
    execution_id: str
    run_id: str
    is_sampled: bool

    @property
    def traceparent(self) -> str:
        """The execution's own span, as the parent of other spans."""
        return _traceparent(self, self.execution_id)

    @property
    def for_tekton(self) -> str:
        """The run's span, in the form that Tekton reads from a PipelineRun's annotation."""
        return json.dumps({"traceparent": _traceparent(self, self.run_id)})


def trace_of(execution: Execution) -> TraceContext:
    """Continue the trace that the execution's annotation names; without one, begin a new trace."""
    annotations = reading.mapping(execution.raw, "metadata", "annotations")
    given = _TRACEPARENT.fullmatch(reading.text(annotations, names.TRACEPARENT))
    trace_id, parent_id, flags = given.groups() if given else (None, "", "01")
    return TraceContext(
        trace_id=trace_id or _hex(execution.uid, "trace", 32),
        parent_id=parent_id,
        execution_id=_hex(execution.uid, "execution", 16),
        run_id=_hex(execution.uid, "run", 16),
        is_sampled=bool(int(flags, 16) & 1),
    )


def _traceparent(trace: TraceContext, span_id: str) -> str:
    return f"00-{trace.trace_id}-{span_id}-{'01' if trace.is_sampled else '00'}"


def _hex(uid: str, purpose: str, digits: int) -> str:
    return hashlib.sha256(f"{uid}/{purpose}".encode()).hexdigest()[:digits]
