"""Parameters that a workflow does not declare: a condition and one Event, and else nothing."""

from __future__ import annotations

from typing import Any

import pytest

from builders import NOW, finished_run, make_execution, raw_run, run_status
from workflowexecution.api.status_model import Condition, WorkflowExecutionStatus
from workflowexecution.core.facts.decoding import parse_run
from workflowexecution.core.facts.pipeline import Undeclared
from workflowexecution.core.facts.run import Run
from workflowexecution.core.status.compose import status_for, status_to_json
from workflowexecution.core.status.outcome import outcome_of_run
from workflowexecution.observe.events import events_for

EMPTY = WorkflowExecutionStatus()
DECLARED = [{"name": "TARGET_RESOURCE"}, {"name": "REPLICAS", "default": "1"}]


def run_with(*given: str, declared: list[dict[str, Any]] | None = DECLARED) -> Run:
    """A run with these parameters, beside that of the operator; None: it is not resolved yet."""
    params = [{"name": name, "value": "3"} for name in (*given, "TARGET_RESOURCE")]
    resolved = {} if declared is None else {"pipelineSpec": {"params": declared, "tasks": []}}
    run = parse_run(raw_run("mine", spec={"params": params}, status={**run_status(), **resolved}))
    assert run is not None
    return run


def told(run: Run, before: WorkflowExecutionStatus = EMPTY) -> WorkflowExecutionStatus:
    return status_for(before, outcome_of_run(run, None), generation=1, now=NOW)


def warned(status: WorkflowExecutionStatus) -> Condition | None:
    return next((item for item in status.conditions if item.type == "UndeclaredParameter"), None)


def test_a_misspelt_parameter_is_told_with_what_was_meant() -> None:
    status = told(run_with("REPLICA"))

    found = warned(status)
    assert found is not None
    assert (found.status, found.reason) == ("True", "UndeclaredParameter")
    assert found.message == (
        "the workflow declares no parameter REPLICA (did you mean REPLICAS?); it declares REPLICAS"
    )
    (event,) = [
        item
        for item in events_for(make_execution(), EMPTY, status, now=NOW)
        if item["type"] == "Warning"
    ]
    assert (event["reason"], event["note"]) == ("UndeclaredParameter", found.message)


def test_it_is_told_once_also_by_an_operator_that_begins_anew() -> None:
    before = told(run_with("REPLICA"))
    assert events_for(make_execution(), before, told(run_with("REPLICA"), before), now=NOW) == []


def test_it_stays_when_the_run_no_longer_shows_it() -> None:
    before = told(run_with("REPLICA"))
    assert warned(told(finished_run("mine"), before)) == warned(before)


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(run_with("REPLICAS"), id="declared"),
        pytest.param(run_with(), id="none-given"),
        pytest.param(run_with(declared=[]), id="only-that-of-the-operator"),
        pytest.param(run_with("REPLICA", declared=None), id="not-resolved-or-not-shown"),
        pytest.param(
            run_with("REPLICAS", declared=[{"name": "REPLICAS", "type": "array"}]), id="an-array"
        ),
        pytest.param(
            run_with("REPLICAS", declared=[{"name": "REPLICAS", "properties": {"least": {}}}]),
            id="an-object",
        ),
    ],
)
def test_without_one_nothing_is_said(run: Run) -> None:
    status = told(run)
    assert warned(status) is None
    assert [item["type"] for item in status_to_json(status)["conditions"]] == [
        "Succeeded",
        "PipelineRunCreated",
        "Reconciling",
        "Stalled",
        "TektonPipelineCreated",
    ]


@pytest.mark.parametrize(
    ("names", "declared", "said"),
    [
        (["ZONE"], [], "no parameter ZONE; it declares none"),
        (["SIZE", "ZONES"], ["A", "ZONE"], "SIZE, ZONES (did you mean ZONE?); it declares A, ZONE"),
        (
            [f"P{number:03}" for number in range(256)],
            ["REPLICAS"],
            "P019 and 236 more; it declares REPLICAS",
        ),
        (["X"], [f"Q{number:03}" for number in range(30)], "Q019 and 10 more"),
    ],
)
def test_many_are_told_in_few_words(names: list[str], declared: list[str], said: str) -> None:
    assert said in Undeclared(names, declared).describe()


def test_the_message_of_the_run_is_that_of_the_run() -> None:
    status = told(finished_run("mine", message="all done"), told(run_with("REPLICA"), EMPTY))
    assert (status.conditions[0].type, status.conditions[0].message) == ("Succeeded", "all done")
