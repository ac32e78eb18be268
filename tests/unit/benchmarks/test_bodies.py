"""Benchmarks write objects like those of Tekton and the operator, and as large as asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from benchmarks import bodies
from benchmarks.history import Template
from benchmarks.rig import Ground
from workflowexecution.api.spec import parse_spec
from workflowexecution.core import names
from workflowexecution.core.facts.decoding import parse_execution, parse_run
from workflowexecution.core.facts.run import RunState
from workflowexecution.core.pipelinerun import RunTemplate, build_run
from workflowexecution.settings import Settings

STEPS = 12


def test_the_run_of_the_floors_is_byte_for_byte_the_operators() -> None:
    target = bodies.target_of("wfe-1")
    raw = bodies.execution_body("wfe-1", "team", target)
    raw["metadata"] |= {"uid": "uid-1", "resourceVersion": "1"}
    spec, problem = parse_spec(raw)
    assert spec is not None, problem
    template = RunTemplate(
        namespace="runs",
        allowed_service_accounts=frozenset(),
        security_context=Settings.model_fields["run_security_context"].default,
        finally_timeout=Settings.model_fields["finally_timeout"].default,
    )
    made = build_run(parse_execution(raw), spec, names.run_name(target, 1), template)
    written = bodies.run_body("wfe-1", "uid-1", "team", target, "runs")
    assert made == written


def run_at(step: int, size: int = 10_000) -> bodies.Object:
    body = bodies.run_body("wfe-1", "uid-1", "team", bodies.target_of("wfe-1"), "runs")
    meta = {"uid": "u", "resourceVersion": "1", "creationTimestamp": bodies.now()}
    status = bodies.run_status(body["metadata"]["name"], step, STEPS, size)
    return {**body, **status, "metadata": {**body["metadata"], **meta}}


@pytest.mark.parametrize("size", [2_500, 10_000])
def test_a_status_is_at_least_as_large_as_asked_and_not_much_larger(size: int) -> None:
    length = len(json.dumps(run_at(STEPS, size)["status"]))
    assert size <= length <= 1.8 * size


def test_a_run_goes_from_beginning_to_end_one_task_after_the_other() -> None:
    seen = [parse_run(run_at(step)) for step in range(1, STEPS + 1)]
    runs = [run for run in seen if run is not None]
    assert len(runs) == STEPS
    assert [run.state for run in runs[:-1]] == [RunState.ACTIVE] * (STEPS - 1)
    assert runs[-1].succeeded == "True"
    assert not any(run.undeclared for run in runs), "an Event for each would be measured"
    assert all(one.completed_tasks <= then.completed_tasks for one, then in pairwise(runs))
    assert runs[-1].completed_tasks == len(runs[-1].task_names)


def test_a_run_of_one_step_ends_at_once() -> None:
    status = bodies.run_status("wfe-0", 1, 1, 2_500)["status"]
    assert status["conditions"][0]["status"] == "True"
    assert status["completionTime"]


def test_whatever_the_number_of_steps_the_last_one_ends_all_tasks() -> None:
    for steps in (1, 2, 3):
        status = bodies.run_status("wfe-0", steps, steps, 2_500)["status"]
        total = len(status["pipelineSpec"]["tasks"])
        assert f"Tasks Completed: {total} " in status["conditions"][0]["message"]


def template() -> Template:
    name, where = "ended-0", Ground("source-1", "runs-1")
    target = bodies.target_of(name)
    run = bodies.run_body(name, "uid-of-execution", where.source, target, where.runs)
    run["metadata"] |= {"uid": "uid-of-run", "creationTimestamp": bodies.now()}
    execution = bodies.execution_body(name, where.source, target)
    execution["metadata"] |= {"uid": "uid-of-execution", "creationTimestamp": bodies.now()}
    execution |= bodies.execution_status(run["metadata"]["name"], where.runs, "Completed")
    return Template(
        name, where, json.dumps(execution), json.dumps(run), "uid-of-execution", "uid-of-run"
    )


def test_a_clone_is_what_the_operator_would_have_made_under_the_other_name() -> None:
    ground = Ground("source-2", "runs-2")
    (first, execution), (second, run) = template().clone("old-7", ground, timedelta(hours=1))
    cloned, made = json.loads(execution), json.loads(run)
    target = bodies.target_of("old-7")
    uid = cloned["metadata"]["uid"]
    wanted = bodies.run_body("old-7", uid, ground.source, target, ground.runs)

    assert first.endswith("/workflowexecutions/source-2/old-7")
    assert second.endswith(f"/pipelineruns/runs-2/{wanted['metadata']['name']}")
    assert cloned["spec"]["targetResource"] == target
    assert cloned["status"]["pipelineRunRef"]["name"] == wanted["metadata"]["name"]
    assert made["metadata"]["labels"] == wanted["metadata"]["labels"]
    assert made["metadata"]["annotations"] == wanted["metadata"]["annotations"]
    assert made["spec"] == wanted["spec"]
    assert (cloned["metadata"]["namespace"], made["metadata"]["namespace"]) == (
        ground.source,
        ground.runs,
    )
    assert {uid, made["metadata"]["uid"]}.isdisjoint({"uid-of-execution", "uid-of-run"})


def test_a_clone_is_as_old_as_asked() -> None:
    (_, execution), _ = template().clone("old-7", Ground("s", "r"), timedelta(hours=1))
    stamp = json.loads(execution)["metadata"]["creationTimestamp"]
    age = datetime.now(UTC) - datetime.fromisoformat(stamp)
    assert timedelta(minutes=59) < age < timedelta(minutes=61)
