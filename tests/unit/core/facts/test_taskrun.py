"""TaskRuns as Tekton writes them, and as odd as they may legally be."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from builders import ago, make_task_run, raw_task_run, step
from workflowexecution.core.facts.step import Step
from workflowexecution.core.facts.taskrun import (
    ChildKind,
    TaskRun,
    count_ended,
    parse_child,
    parse_task_run,
)

BARE = TaskRun("run-x", "run-x", "Unknown", "", "", "", None, ())


def test_reads_a_task_run_that_failed() -> None:
    raw = raw_task_run(steps=[step("a", 0), step("b", 7), step("c", running={"startedAt": "x"})])
    assert parse_task_run(raw) == TaskRun(
        name="run-change",
        task_name="change",
        succeeded="False",
        reason="Failed",
        message="it failed",
        pod_name="run-change-pod",
        completed_at=ago(minutes=2),
        steps=(
            Step("a", "step-a", has_started=True, exit_code=0, reason="Completed", termination=""),
            Step("b", "step-b", has_started=True, exit_code=7, reason="Error", termination=""),
            Step("c", "step-c", has_started=True, exit_code=None, reason="", termination=""),
        ),
    )


@pytest.mark.parametrize(
    ("state", "has_started"),
    [
        ({"waiting": {"reason": "PodInitializing"}}, False),
        ({"running": {"startedAt": "2026-01-02T12:00:00Z"}}, True),
        ({"terminated": {"exitCode": 1, "startedAt": "2026-01-02T12:00:00Z"}}, True),
        ({"terminated": {"exitCode": 1, "reason": "TaskRunCancelled"}}, False),
        ({"terminated": {"exitCode": 1, "startedAt": None}}, False),
        ({}, False),
    ],
)
def test_only_a_container_that_ran_has_started(state: dict[str, Any], has_started: bool) -> None:
    task = parse_task_run(raw_task_run(steps=[step("a", **state)]))
    assert task.has_started is has_started


RECORDED: Final = Path(__file__).parents[3] / "recorded"


def recorded(scenario: str) -> list[TaskRun]:
    """The TaskRuns of a real run, as Tekton 1.15 left them."""
    found = json.loads((RECORDED / f"{scenario}.json").read_text())["taskRuns"]
    return [parse_task_run(raw) for raw in found]


def test_a_step_that_tekton_skipped_has_not_started_and_has_no_exit_code_of_its_own() -> None:
    _, change = recorded("exit-code-in-second-step")
    assert [(step.name, step.has_started, step.exit_code) for step in change.steps] == [
        ("read", True, 0),
        ("change", True, 7),
        ("check", False, None),
    ]
    assert [step.is_skipped for step in change.steps] == [False, False, True]


def test_a_skipped_step_does_not_make_its_task_one_that_has_started() -> None:
    steps = [step("change", 128, "StartError"), step("check", 1, termination="Skipped")]
    assert not parse_task_run(raw_task_run(steps=steps)).has_started


@pytest.mark.parametrize(
    ("status", "is_active"), [("Unknown", True), ("", True), ("True", False), ("False", False)]
)
def test_only_a_verdict_ends_it(status: str, is_active: bool) -> None:
    assert parse_task_run(raw_task_run(succeeded=status)).is_active is is_active


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"status": None},
        {"status": "odd"},
        {"status": {"conditions": None, "steps": None, "completionTime": None, "podName": None}},
        {"status": {"conditions": "odd", "steps": "odd", "completionTime": "odd", "podName": 7}},
        {"status": {"conditions": [None, 7, {}], "completionTime": 7, "steps": 7}},
        {"status": {"conditions": [{"type": "Succeeded"}]}},
        {"status": {"conditions": [{"type": "Succeeded", "status": None, "reason": 7}]}},
    ],
)
@pytest.mark.parametrize("labels", [{}, {"labels": None}, {"labels": {}}])
def test_reads_what_is_odd_as_not_told(raw: dict[str, Any], labels: dict[str, Any]) -> None:
    assert parse_task_run({"metadata": {"name": "run-x", **labels}, **raw}) == BARE


@pytest.mark.parametrize(
    "raw",
    [
        None,
        7,
        {},
        {"name": None, "container": 7, "terminated": None, "running": None},
        {"terminated": "odd"},
        {"terminated": {"exitCode": "7", "reason": None}},
        {"terminated": {"exitCode": True}},
    ],
)
def test_reads_an_odd_step_as_one_that_never_ran(raw: object) -> None:
    parsed = parse_task_run(raw_task_run(steps=())) if raw is None else None
    task = parse_task_run({"metadata": {"name": "run-x"}, "status": {"steps": [raw]}})
    assert parsed is None or parsed.steps == ()
    assert task.steps in (
        (),
        (Step("", "", has_started=False, exit_code=None, reason="", termination=""),),
    )


def test_tasks_that_ended_are_counted_once() -> None:
    ended = [make_task_run("a"), make_task_run("a", "True"), make_task_run("b", "True")]
    assert count_ended([*ended, make_task_run("c", "Unknown")]) == 2


# As Tekton 1.15 wrote it: the first attempt worked for 15 s, the second could not pull its image.
RETRIED: dict[str, Any] = {
    "metadata": {
        "name": "wfe-1-change",
        "creationTimestamp": "2026-11-28T21:00:19Z",
        "labels": {"tekton.dev/pipelineTask": "change"},
    },
    "status": {
        "podName": "wfe-1-change-pod-retry1",
        "conditions": [
            {"type": "Succeeded", "status": "False", "reason": "TaskRunImagePullFailed"}
        ],
        "steps": [
            {
                "name": "change",
                "container": "step-change",
                "terminated": {
                    "exitCode": 1,
                    "reason": "TaskRunImagePullFailed",
                    "startedAt": "2026-11-28T21:00:19Z",
                },
                "terminationReason": "TaskRunImagePullFailed",
            }
        ],
        "retriesStatus": [
            {
                "conditions": [{"type": "Succeeded", "status": "False", "reason": "StepFailed"}],
                "podName": "wfe-1-change-pod",
                "steps": [
                    {
                        "name": "change",
                        "container": "step-change",
                        "terminated": {
                            "exitCode": 1,
                            "reason": "Error",
                            "startedAt": "2026-11-28T21:00:22Z",
                        },
                        "terminationReason": "Error",
                    }
                ],
            }
        ],
    },
}


def test_an_attempt_that_worked_counts_though_the_last_never_began() -> None:
    task = parse_task_run(RETRIED)
    assert (task.has_started, task.has_steps_that_started, task.started_before) == (
        True,
        False,
        True,
    )
    assert [attempt.pod_name for attempt in task.earlier] == ["wfe-1-change-pod"]


def test_an_attempt_that_never_began_does_not_count() -> None:
    status = {**RETRIED["status"], "retriesStatus": [{**RETRIED["status"], "retriesStatus": []}]}
    task = parse_task_run({**RETRIED, "status": status})
    assert len(task.earlier) == 1
    assert not task.has_started


@pytest.mark.parametrize("odd", [None, "odd", 7, [None, "odd", {}], [{"steps": "odd"}]])
def test_odd_attempts_are_read_as_ones_that_never_began(odd: object) -> None:
    task = parse_task_run({**RETRIED, "status": {**RETRIED["status"], "retriesStatus": odd}})
    assert not task.has_started


@pytest.mark.parametrize(
    ("status", "has_begun"),
    [
        ({}, False),
        (None, False),
        ({"startTime": "2026-01-02T12:00:00Z"}, True),
        ({"conditions": [{"type": "Succeeded", "status": "False", "reason": "Denied"}]}, True),
        ({"retriesStatus": [{"conditions": []}]}, True),
    ],
)
def test_a_custom_task_has_begun_once_its_controller_has_said_anything(
    status: object, has_begun: bool
) -> None:
    raw = {"metadata": {"name": "x", "namespace": "n", "uid": "u"}, "status": status}
    task = parse_child(raw, ChildKind.CUSTOM_RUN)
    assert (task.kind, task.has_started) == (ChildKind.CUSTOM_RUN, has_begun)
    assert (task.namespace, task.uid) == ("n", "u")
    # What a run that is a task has done, its own TaskRuns tell.
    assert not parse_child(raw, ChildKind.RUN).has_started
    assert parse_child(raw, ChildKind.TASK_RUN) == parse_task_run(raw)


def test_a_task_within_a_task_does_not_end_it() -> None:
    inner = replace(make_task_run("outer"), within="inner")
    assert count_ended([inner, make_task_run("outer", "Unknown")]) == 0


def test_steps_that_tekton_has_left_there_are_those_of_the_earlier_attempt() -> None:
    """As it wrote it where the pod of the second attempt could not be made."""
    (first,) = RETRIED["status"]["retriesStatus"]
    said = {"type": "Succeeded", "status": "False", "reason": "PodCreationFailed"}
    status = {"conditions": [said], "steps": first["steps"], "retriesStatus": [first]}
    task = parse_task_run({**RETRIED, "status": status})
    assert (task.steps, task.started_before) == ((), True)
