"""The logs of a run's steps: which there are, and why one is gone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import (
    NOW,
    make_run,
    raw_task_run,
    step,
)
from unit.views.test_story import RUNNING, task_run
from workflowexecution.api.reading import format_time
from workflowexecution.core.facts.execution import cancellation_of
from workflowexecution.core.facts.run import Run
from workflowexecution.views.step_logs import (
    running_steps,
    steps_with_logs,
    unknown_name,
    why_no_log,
)


def task(name: str, started: int, *steps: dict[str, Any], pod: str | None = None) -> Any:
    raw = raw_task_run(name, steps=steps, pod_name=pod)
    raw["status"]["startTime"] = format_time(NOW + timedelta(seconds=started))
    return raw


WAITING = step("later", waiting={"reason": "PodInitializing"})


def test_tasks_are_in_the_order_in_which_they_started_and_what_waits_has_no_log() -> None:
    found = steps_with_logs([task("b", 9, RUNNING, WAITING), task("a", 1, step("main", 0))])
    assert [item.name for item in found] == ["a/main", "b/now"]
    assert (found[1].pod, found[1].container) == ("run-b-pod", "step-now")


def test_only_what_is_asked_for_is_found_and_nothing_without_a_pod() -> None:
    runs = [task("a", 1, step("main", 0), step("now", 1)), task("b", 2, RUNNING)]
    assert [item.name for item in steps_with_logs(runs, task="a")] == ["a/main", "a/now"]
    assert [item.name for item in steps_with_logs(runs, step="now")] == ["a/now", "b/now"]
    assert steps_with_logs([task("a", 1, step("main", 0), pod="")]) == []
    assert steps_with_logs([{"metadata": {"name": "bare"}}]) == []


def test_what_an_earlier_attempt_wrote_is_found_too() -> None:
    first, last = task("a", 1, step("main", 1), pod="first"), task("a", 5, RUNNING, pod="last")
    last["status"]["retriesStatus"] = [first["status"]]
    found = steps_with_logs([task("b", 3, RUNNING), last])
    assert [(item.name, item.pod) for item in found] == [
        ("a/main", "first"),
        ("b/now", "run-b-pod"),
        ("a/now", "last"),
    ]


TWO_TASKS = [task_run("check", 8, 6, 0), task_run("change", 5, 2, 3)]
ACTIVE_RUN = replace(make_run("mine"), task_names=("check", "change", "verify"))
ENDED_RUN = replace(ACTIVE_RUN, succeeded="False")
IN_RUN = f"PipelineRun {ACTIVE_RUN.namespace}/{ACTIVE_RUN.name}"
NO_TASK = f"no task 'nope' is in {IN_RUN}; its tasks are "
DELETED = "Tekton deleted the pod when"
NO_STEP = "no step 'nope' is in "


@pytest.mark.parametrize(
    ("run", "task", "step", "problem"),
    [
        (None, "nope", "nope", ""),
        (ACTIVE_RUN, "", "", ""),
        (ACTIVE_RUN, "verify", "", ""),
        (
            ACTIVE_RUN,
            "nope",
            "",
            f"no task 'nope' is in {IN_RUN}; its tasks are check, change, verify",
        ),
        (
            replace(ACTIVE_RUN, task_names=()),
            "nope",
            "",
            f"no task 'nope' is in {IN_RUN}; its tasks are check, change",
        ),
        (ACTIVE_RUN, "change", "main", ""),
        (
            ACTIVE_RUN,
            "change",
            "nope",
            f"no step 'nope' is in task 'change' of {IN_RUN}; its steps are main",
        ),
        # A task that has not begun may have it.
        (ACTIVE_RUN, "verify", "nope", ""),
        (ACTIVE_RUN, "", "nope", ""),
        (ENDED_RUN, "", "nope", f"{NO_STEP}{IN_RUN}; its steps are main"),
        (ENDED_RUN, "verify", "main", ""),
    ],
)
def test_a_task_or_step_that_no_log_can_have_is_named(
    run: Run | None, task: str, step: str, problem: str
) -> None:
    assert unknown_name(run, TWO_TASKS if run else [], task, step) == problem


def test_before_a_pipeline_is_resolved_any_task_may_come() -> None:
    assert unknown_name(make_run("mine"), [], "nope", "nope") == ""


def test_only_a_step_that_runs_will_write_more() -> None:
    at_work = [step("look", 0), step("apply", running={"startedAt": "2026-01-02T11:59:00Z"})]
    raws = [
        raw_task_run("change", "Unknown", "Running", steps=[*at_work, step("later", waiting={})]),
        *TWO_TASKS,
    ]
    assert [item.name for item in running_steps(raws)] == ["change/apply"]


@pytest.mark.parametrize(
    ("reason", "who", "why"),
    [
        (
            "TaskRunCancelled",
            "jane",
            "Tekton deleted the pod when the run was cancelled by jane: no",
        ),
        ("TaskRunCancelled", "", "Tekton deleted the pod when the run was cancelled"),
        ("TaskRunTimeout", "jane", "Tekton deleted the pod when the time limit was over"),
        ("Failed", "", "the pod is deleted"),
    ],
)
def test_why_a_log_is_gone_is_known_by_the_end_of_its_task(reason: str, who: str, why: str) -> None:
    by = cancellation_of(who, NOW, "no") if who else None
    run = replace(make_run("mine"), cancellation=by)
    raw = raw_task_run("change", "False", reason, steps=[step("apply", 1)])
    assert why_no_log(run, [raw], "run-change-pod") == f"it is gone: {why}"
    assert why_no_log(None, [], "run-change-pod") == "it is gone: the pod is deleted"
