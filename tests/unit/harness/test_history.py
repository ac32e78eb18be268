"""The judge of the fault scenarios finds what it is there to find."""

from typing import Any

import pytest

from harness.history import RUNS, TARGET, TASK_RUNS, _Doubles, _problem_of, _Step

ENDED = [{"type": "Succeeded", "status": "True"}]


def run(version: int, name: str, *, ended: bool = False, gone: bool = False) -> _Step:
    meta = {"name": name, "annotations": {TARGET: "a/b/c"}}
    return _Step(version, RUNS, gone, {"metadata": meta, "status": _status(ended)})


def task(version: int, of: str, *, ended: bool = False) -> _Step:
    meta = {"name": f"{of}-task", "labels": {"tekton.dev/pipelineRun": of}}
    return _Step(version, TASK_RUNS, False, {"metadata": meta, "status": _status(ended)})


def _status(ended: bool) -> dict[str, Any]:
    return {"conditions": ENDED} if ended else {}


def test_runs_one_after_the_other_are_no_double() -> None:
    steps = [run(1, "one"), task(2, "one"), task(3, "one", ended=True), run(4, "one", ended=True)]
    assert _Doubles().judge([*steps, run(5, "two")]) == []
    assert _Doubles().judge([run(1, "one"), run(2, "one", gone=True), run(3, "two")]) == []


@pytest.mark.parametrize(
    "steps",
    [
        [run(1, "one"), run(2, "two")],
        [run(1, "one"), task(2, "one"), run(3, "one", ended=True), run(4, "two")],
    ],
    ids=["both active", "a task still active"],
)
def test_two_at_once_are_found(steps: list[_Step]) -> None:
    assert _Doubles().judge(steps) == [("a/b/c", "one", "two")]


@pytest.mark.parametrize(
    ("phase", "runs"),
    [
        ("Completed", []),
        ("Completed", [{"status": "False"}]),
        ("Failed", [{"status": "True"}]),
        ("Skipped", [{"status": "True"}]),
        ("Running", [{}, {}]),
    ],
)
def test_an_end_that_does_not_go_with_the_run_is_found(
    phase: str, runs: list[dict[str, str]]
) -> None:
    made: list[dict[str, Any]] = [
        {
            "metadata": {"name": "run", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {},
            "status": {"conditions": [{"type": "Succeeded", **one}] if one else []},
        }
        for one in runs
    ]
    status = {
        "phase": phase,
        "pipelineRunRef": {"name": "run"},
        "skipDetails": {"skippedAt": "2026-01-01T00:00:00Z"},
    }
    assert _problem_of({"status": status}, made)
