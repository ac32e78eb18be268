"""Diagnosis of what real Tekton wrote; `make record` makes the recordings anew."""

import json
import re
from pathlib import Path

import pytest

from builders import make_execution
from e2e.scenario import Scenario
from e2e.scenarios import SCENARIOS
from workflowexecution.core.diagnosis.diagnose import diagnose
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.facts.decoding import parse_run
from workflowexecution.core.facts.taskrun import parse_task_run

RECORDED = Path(__file__).parents[3] / "recorded"
# Of a run that was deleted nothing is left to be diagnosed.
DIAGNOSED = [scenario for scenario in SCENARIOS if scenario.deed != "delete"]


@pytest.mark.parametrize("scenario", DIAGNOSED, ids=lambda scenario: scenario.name)
def test_a_recorded_failure_is_told_as_it_was(scenario: Scenario) -> None:
    raw = json.loads((RECORDED / f"{scenario.name}.json").read_text())
    run = parse_run(raw["pipelineRun"])
    assert run is not None
    tasks = [parse_task_run(item) for item in raw["taskRuns"]]
    pods = [task.pod_name for task in tasks] if scenario.has_pod else []
    found = diagnose(run, tasks, complaint=scenario.complaint, pods=pods)
    assert run.completed_at is not None

    told = details_of(
        found,
        make_execution(),
        task_names=run.task_names,
        started_at=run.created_at,
        failed_at=run.completed_at,
    ).model_dump(mode="json", by_alias=True, exclude_none=True)

    assert re.search(scenario.expected["message"], told["message"], re.DOTALL)
    facts = {key: told.get(key) for key in scenario.expected if key != "message"}
    assert facts == {key: value for key, value in scenario.expected.items() if key != "message"}
    assert ("exitCode" in told) == ("exitCode" in scenario.expected)


def test_every_recording_is_of_a_scenario() -> None:
    names = {path.stem for path in RECORDED.glob("*.json")}
    assert names == {scenario.name for scenario in SCENARIOS}
