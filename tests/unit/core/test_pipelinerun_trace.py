"""An execution's place in a trace: the same whoever asks, beneath whoever created it."""

import json

import pytest

from builders import make_execution, raw_execution
from workflowexecution.core import names
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.pipelinerun import trace_of

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def created_with(traceparent: object) -> Execution:
    raw = raw_execution("mine")
    raw["metadata"]["annotations"] = {names.TRACEPARENT: traceparent}
    return parse_execution(raw)


def test_a_trace_of_its_own_is_the_same_each_time() -> None:
    one, again, other = (trace_of(make_execution(name)) for name in ("mine", "mine", "other"))

    assert one == again
    assert len({one.trace_id, other.trace_id}) == 2
    assert len({one.execution_id, one.run_id, other.execution_id, other.run_id}) == 4
    assert (len(one.trace_id), len(one.execution_id), len(one.run_id)) == (32, 16, 16)
    assert (one.parent_id, one.is_sampled) == ("", True)


@pytest.mark.parametrize(
    ("traceparent", "is_sampled"),
    [
        pytest.param(f"00-{TRACE}-{SPAN}-01", True, id="sampled"),
        pytest.param(f"00-{TRACE}-{SPAN}-00", False, id="not-sampled"),
        pytest.param(f"00-{TRACE}-{SPAN}-03", True, id="sampled-and-random"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01-more", True, id="of-a-later-version"),
    ],
)
def test_whoever_created_it_is_above(traceparent: str, is_sampled: bool) -> None:
    trace = trace_of(created_with(traceparent))

    assert (trace.trace_id, trace.parent_id, trace.is_sampled) == (TRACE, SPAN, is_sampled)
    assert trace.traceparent == f"00-{TRACE}-{trace.execution_id}-0{int(is_sampled)}"


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "nonsense",
        7,
        f"00-{TRACE}-{SPAN}",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
    ],
)
def test_what_is_no_context_is_left_alone(traceparent: object) -> None:
    assert trace_of(created_with(traceparent)) == trace_of(make_execution("mine"))


def test_tekton_is_handed_the_runs_span_as_a_carrier() -> None:
    trace = trace_of(created_with(f"00-{TRACE}-{SPAN}-01"))

    carrier = json.loads(trace.for_tekton)

    assert carrier == {"traceparent": f"00-{TRACE}-{trace.run_id}-01"}
