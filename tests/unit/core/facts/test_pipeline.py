"""The pipeline of a run shows which children it can have."""

from typing import Any

import pytest

from workflowexecution.core.facts.pipeline import ANY_CHILDREN, ChildKinds, parse_pipeline

PLAIN = {"name": "a", "taskSpec": {"steps": [{"name": "s"}]}}
CUSTOM_REF = {"apiVersion": "approvals.example.dev/v1", "kind": "Approval"}
NONE = ChildKinds(may_outlast=False, custom_runs=False, runs=False)
OUTLASTS = ChildKinds(may_outlast=True, custom_runs=False, runs=False)
CUSTOM = ChildKinds(may_outlast=False, custom_runs=True, runs=False)
NESTED = ChildKinds(may_outlast=True, custom_runs=False, runs=True)


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        pytest.param({}, NONE, id="steps-that-are-shown"),
        pytest.param({"taskSpec": {"sidecars": [{"name": "x"}]}}, OUTLASTS, id="a-sidecar"),
        pytest.param({"taskSpec": {"sidecars": []}}, NONE, id="no-sidecar"),
        pytest.param({"taskRef": {"name": "x"}}, OUTLASTS, id="a-task-that-is-not-shown"),
        pytest.param({"taskRef": {"name": "x", "kind": "Task"}}, OUTLASTS, id="with-its-kind"),
        pytest.param({"taskRef": {"resolver": "bundles"}}, OUTLASTS, id="a-task-from-elsewhere"),
        pytest.param({"taskRef": CUSTOM_REF}, CUSTOM, id="a-custom-task"),
        pytest.param({"taskSpec": {**CUSTOM_REF, "spec": {}}}, CUSTOM, id="one-written-inline"),
        pytest.param({"retries": 1}, OUTLASTS, id="an-attempt-that-failed-may-be-at-work"),
        pytest.param({"retries": 0}, NONE, id="one-attempt"),
        pytest.param({"onError": "continue"}, OUTLASTS, id="a-failure-that-does-not-count"),
        pytest.param({"onError": "stopAndFail"}, NONE, id="a-failure-that-counts"),
        pytest.param({"pipelineRef": {"name": "x"}}, NESTED, id="a-pipeline"),
        pytest.param({"pipelineSpec": {"tasks": []}}, NESTED, id="a-pipeline-written-inline"),
    ],
)
@pytest.mark.parametrize("where", ["tasks", "finally"])
def test_one_task_tells(task: dict[str, Any], expected: ChildKinds, where: str) -> None:
    status = {"pipelineSpec": {"tasks": [PLAIN], where: [PLAIN, {**PLAIN, **task}]}}
    assert parse_pipeline({"status": status}, has_failed=False).children == expected


@pytest.mark.parametrize("status", [{}, {"pipelineSpec": None}, {"pipelineSpec": "odd"}])
def test_a_pipeline_that_nobody_knows_may_have_everything(status: dict[str, Any]) -> None:
    assert parse_pipeline({"status": status}, has_failed=False).children == ANY_CHILDREN
    assert parse_pipeline({"status": status}, has_failed=True).children == NONE
