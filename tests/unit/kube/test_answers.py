"""A run that is decoded in part reads the same as one that is decoded whole."""

import copy
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workflowexecution.core.facts.decoding import parse_run
from workflowexecution.core.facts.shapes import EventOfRun, PageOfRuns
from workflowexecution.kube.answers import decode_only, decode_whole

_RECORDED = sorted((Path(__file__).parents[2] / "recorded").glob("*.json"))
_ODD: tuple[Any, ...] = (None, "text", 7, [], {}, [None], ["text"], {"name": 7})

event = decode_only(EventOfRun)
page = decode_only(PageOfRuns)


def recorded_runs() -> list[dict[str, Any]]:
    return [run for path in _RECORDED if (run := json.loads(path.read_text()).get("pipelineRun"))]


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place within an object."""
    children: Any = value.items() if isinstance(value, dict) else ()
    children = enumerate(value) if isinstance(value, list) else children
    for key, child in children:
        yield (*path, key)
        yield from paths_of(child, (*path, key))


def with_odd(raw: dict[str, Any], path: tuple[Any, ...], odd: Any) -> dict[str, Any]:
    changed: Any = copy.deepcopy(raw)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = odd
    return changed  # type: ignore[no-any-return]


def told(raw: Any) -> Any:
    """The facts of a run; the type of the error where it cannot be read."""
    try:
        return parse_run(raw)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        return type(error)


def line_of(raw: dict[str, Any]) -> bytes:
    return json.dumps({"type": "MODIFIED", "object": raw}).encode()


def test_recorded_runs_read_the_same_when_decoded_in_part() -> None:
    runs = recorded_runs()
    assert len(runs) > 20
    lists = json.dumps({"metadata": {"continue": "more"}, "items": runs}).encode()
    assert [parse_run(item) for item in page(lists)["items"]] == [parse_run(run) for run in runs]
    assert page(lists)["metadata"] == {"continue": "more"}
    for run in runs:
        assert parse_run(event(line_of(run))["object"]) == parse_run(run)


def test_what_is_not_read_is_not_decoded() -> None:
    run = next(run for run in recorded_runs() if "pipelineSpec" in run["status"])
    seen = event(line_of(run))["object"]
    assert "managedFields" not in seen["metadata"]
    task = seen["status"]["pipelineSpec"]["tasks"][0]
    assert set(task) == {"name", "taskSpec"}
    # A sidecar's name says that there is one; steps and scripts are the workflow's own business.
    assert set(task["taskSpec"]) <= {"sidecars", "apiVersion", "kind"}


@pytest.mark.parametrize("odd", _ODD, ids=repr)
def test_a_garbled_run_reads_the_same_as_when_decoded_whole(odd: Any) -> None:
    run = max(recorded_runs(), key=lambda raw: len(json.dumps(raw)))
    for path in paths_of(run):
        garbled = with_odd(run, path, odd)
        assert told(event(line_of(garbled))["object"]) == told(garbled), path


def test_a_page_with_one_garbled_run_holds_them_all() -> None:
    runs = recorded_runs()
    runs[3]["status"] = "text"
    items = page(json.dumps({"metadata": {}, "items": runs}).encode())["items"]
    assert [parse_run(item) for item in items] == [parse_run(run) for run in runs]


@pytest.mark.parametrize("text", [b"", b'{"type":"ADDED","obj', b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_a_value_error(text: bytes) -> None:
    for decode in (event, page, decode_whole):
        with pytest.raises(ValueError, match=r"."):
            decode(text)


@pytest.mark.parametrize("place", ["spec", "status.conditions", "metadata.annotations", "else"])
def test_what_is_nested_deeper_than_python_allows_is_decoded(place: str) -> None:
    depth = 9_990
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    names = [f'"{name}":'.encode() for name in place.split(".")]
    text = b"{" + b"{".join(names) + deep + b"}" * len(names)
    line = b'{"type":"ADDED","object":' + text + b"}"
    for decode in (event, decode_whole):
        assert decode(line)["type"] == "ADDED"


def test_what_is_nested_deeper_than_the_api_server_allows_is_no_json_to_us() -> None:
    limit = sys.getrecursionlimit()
    with pytest.raises(ValueError, match="recursion"):
        decode_whole(b"[" * 100_000 + b"]" * 100_000)
    assert sys.getrecursionlimit() == limit
