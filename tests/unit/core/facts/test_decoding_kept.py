"""The cache keeps all of an execution that is needed again, and no more, for any size."""

import json
import sys
from typing import Any

import pytest

from builders import TARGET, raw_execution, raw_spec
from workflowexecution.api import identity
from workflowexecution.api.spec import parse_spec
from workflowexecution.core import evidence, names
from workflowexecution.core.facts.decoding import kept, parse_execution
from workflowexecution.core.facts.leftovers import unseen_run
from workflowexecution.core.facts.shapes import EventOfExecution
from workflowexecution.core.pipelinerun import trace_of
from workflowexecution.kube.answers import decode_only, decode_whole

MOST_KEPT = 40 * 1024
RUN_NAME = names.run_name(TARGET, 1)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def wide(length: int) -> str:
    """Text that takes four bytes a character in memory, and hardly more than one in JSON."""
    return "\U0001f4a5" + "a" * (length - 1)


def largest(**differs: Any) -> dict[str, Any]:
    """About as much as the API server takes."""
    reference = {key: wide(63) for key in ("kind", "namespace")}
    spec = raw_spec(
        f"{'n' * 63}/{'K' * 63}/{'x' * 253}",
        rationale=wide(65_536),
        parameters={f"P_{number}": wide(32_765) for number in range(7)},
        remediationRequestRef={**reference, "name": wide(253), "fieldPath": wide(1024)},
        workflowRef={
            "workflowId": wide(253),
            "version": wide(253),
            "containerImage": "r.example/" + "x" * 1000 + ":v1",
        },
    )
    raw = raw_execution(spec={**spec, **differs}, finalizers=["a.example/" + "f" * 50] * 4000)
    raw["metadata"] |= {
        "annotations": {"notes": wide(250_000), names.TRACEPARENT: TRACEPARENT + "-" + wide(9000)},
        "labels": {f"l{number}": "v" * 63 for number in range(1000)},
        "ownerReferences": [{"name": "o" * 253}] * 500,
        "managedFields": [{"fieldsV1": {f"f:{number}": {} for number in range(1000)}}],
    }
    return raw


def size_of(kept_value: Any) -> int:
    """Bytes in memory, of everything that hangs on it."""
    if isinstance(kept_value, dict):
        inner = sum(size_of(key) + size_of(value) for key, value in kept_value.items())
    elif isinstance(kept_value, list):
        inner = sum(map(size_of, kept_value))
    else:
        inner = 0
    return sys.getsizeof(kept_value) + inner


def test_the_largest_takes_little() -> None:
    seen = parse_execution(largest())
    assert size_of(seen.raw) > 2_000_000
    assert size_of(kept(seen).raw) < MOST_KEPT


@pytest.mark.parametrize("count", [1, 256])
@pytest.mark.parametrize("length", [1, 10, 60, 4000, 32_000])
def test_of_parameters_only_what_is_small_is_kept(count: int, length: int) -> None:
    parameters = {f"P_{number}": wide(length) for number in range(count)}
    mine = kept(parse_execution(raw_execution(spec=raw_spec(parameters=parameters))))
    assert size_of(mine.raw) < 2 * MOST_KEPT
    assert mine.raw["spec"].get("parameters") in (None, parameters)
    assert mine.is_whole is ("parameters" in mine.raw["spec"])


def test_what_an_ordinary_one_asks_for_is_kept() -> None:
    spec = raw_spec(parameters={"REPLICAS": "3", "MESSAGE": "é" * 200}, rationale="because")
    raw = raw_execution(spec=spec, status={"phase": "Pending", "conditions": [{"type": "Stalled"}]})
    raw["metadata"]["annotations"] = {names.TRACEPARENT: TRACEPARENT, "notes": "x"}
    seen = parse_execution(raw)
    mine = kept(seen)
    assert mine.is_whole
    parsed, problem = parse_spec(mine.raw)
    full, _ = parse_spec(raw)
    assert problem == ""
    assert parsed
    assert full
    assert parsed == full.model_copy(update={"rationale": None})
    assert mine.raw["status"] == raw["status"]
    assert mine.raw["metadata"]["generation"] == 1
    assert trace_of(mine) == trace_of(seen)
    assert unseen_run(mine, RUN_NAME, "runs") == unseen_run(seen, RUN_NAME, "runs")
    assert kept(mine) == mine


def test_what_follows_a_traceparent_is_not_kept_and_does_not_matter() -> None:
    for parent in (TRACEPARENT + "-more", TRACEPARENT + "more", "cc" + TRACEPARENT[2:] + "-" * 99):
        raw = raw_execution()
        raw["metadata"]["annotations"] = {names.TRACEPARENT: parent}
        seen = parse_execution(raw)
        assert trace_of(kept(seen)) == trace_of(seen)


def test_what_is_in_a_run_is_not_kept() -> None:
    status = {"phase": "Running", "pipelineRunRef": {"name": RUN_NAME}}
    spec = raw_spec(parameters={"REPLICAS": "3"})
    mine = kept(parse_execution(raw_execution(spec=spec, status=status)))
    assert (mine.is_whole, mine.problem) == (False, "")
    assert "parameters" not in mine.raw["spec"]


@pytest.mark.parametrize(
    ("differs", "said"),
    [
        ({}, ""),
        ({"parameters": {"A": "x" * 32_768, "B": "$(A)"}}, "the value of B: Tekton or the"),
        ({"targetResource": "a/B/$(params.A)"}, "is not a target"),
        ({"parameters": ["odd"]}, "spec.parameters: ['odd']: "),
        ({"parameters": {"A": 7}}, "spec.parameters.A: 7: "),
    ],
)
def test_of_what_is_left_out_it_is_known_whether_it_is_right(
    differs: dict[str, Any], said: str
) -> None:
    mine = kept(parse_execution(largest(**differs)))
    assert not mine.is_whole
    assert said in mine.problem
    assert bool(said) == bool(mine.problem)


@pytest.mark.parametrize("spec", ["odd", None, [], {}])
def test_an_odd_spec_is_told_of_as_before(spec: Any) -> None:
    raw = raw_execution(spec=spec)
    raw["spec"] = spec
    assert kept(parse_execution(raw)).problem == parse_spec(raw)[1] != ""


@pytest.mark.parametrize("raw", [largest(), raw_execution(status={"phase": "Running"})])
def test_all_that_is_kept_is_decoded(raw: dict[str, Any]) -> None:
    raw["metadata"]["finalizers"] = [identity.OLD_FINALIZER]
    raw["metadata"].setdefault("annotations", {})[identity.CLEAR_ANNOTATION] = "jane"
    line = json.dumps({"type": "ADDED", "object": raw}).encode()
    read, whole = (
        decode(line)["object"] for decode in (decode_only(EventOfExecution), decode_whole)
    )
    assert kept(parse_execution(read)) == kept(parse_execution(whole))
    assert read["metadata"]["finalizers"] == [identity.OLD_FINALIZER]
    assert evidence.is_cleared(read)
    assert read.keys() == {"metadata", "spec"} | ({"status"} & raw.keys())
    assert "rationale" not in read["spec"]
    assert "labels" not in read["metadata"]


def test_what_is_kept_already_stays_as_it_is() -> None:
    slim = kept(parse_execution(largest()))

    assert not slim.is_whole
    assert kept(slim) is slim
