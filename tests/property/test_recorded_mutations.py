"""Diagnosis of what real Tekton wrote, with parts of it replaced by anything or taken away."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, ago, make_execution
from property import strategies
from workflowexecution.api.status import Phase
from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.core.diagnosis.diagnose import diagnose
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.facts.decoding import parse_run
from workflowexecution.core.facts.taskrun import parse_task_run
from workflowexecution.core.status.compose import status_for, status_patch, status_to_json
from workflowexecution.core.status.outcome import outcome_of_run

RECORDED = [
    json.loads(path.read_text())
    for path in sorted((Path(__file__).parents[1] / "recorded").glob("*.json"))
]
FAILED = [recording for recording in RECORDED if recording["pipelineRun"] is not None]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A recorded run and its TaskRuns, changed at random."""
    recording = draw(st.sampled_from(FAILED))
    run = draw(strategies.mutations(recording["pipelineRun"]))
    return run, [draw(strategies.mutations(task)) for task in recording["taskRuns"]]


@given(mutated())
def test_whatever_tekton_may_write_is_told_once_and_for_good(
    raws: tuple[dict[str, Any], list[dict[str, Any]]],
) -> None:
    run = parse_run(raws[0])
    assert run is not None
    found = diagnose(run, [parse_task_run(task) for task in raws[1]])
    failure = details_of(
        found, make_execution(), task_names=run.task_names, started_at=ago(minutes=1), failed_at=NOW
    )

    told = status_for(
        WorkflowExecutionStatus(), outcome_of_run(run, failure), generation=1, now=NOW
    )

    assert told.phase is Phase.FAILED
    again = status_for(told, outcome_of_run(run, None), generation=1, now=NOW)
    assert status_patch(status_to_json(told), status_to_json(again)) == {}
