"""The story of an execution, from what Kubernetes and Tekton have noted of it."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from builders import (
    NOW,
    ago,
    finished_run,
    make_execution,
    make_hold,
    raw_execution,
    raw_task_run,
    step,
)
from workflowexecution.api import identity
from workflowexecution.api.reading import format_time
from workflowexecution.api.status import Phase
from workflowexecution.core.diagnosis.explanations import CAUSES, Cause
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import cancellation_of
from workflowexecution.core.facts.hold import Release
from workflowexecution.views.step_logs import (
    failed_step_of,
    steps_with_logs,
)
from workflowexecution.views.story import may_have_been_held, moments_of
from workflowexecution.views.why import progress_of

RUNNING = step("now", running={"startedAt": format_time(NOW)})
WAITING_TOO = step("next", running={"startedAt": format_time(NOW)})


def task_run(task: str, began: int, ended: int, exit_code: int) -> dict[str, Any]:
    """A TaskRun of one step; times in minutes before NOW."""
    raw = raw_task_run(
        task,
        "False" if exit_code else "True",
        "Failed" if exit_code else "Succeeded",
        steps=[step("main", exit_code)],
        completed_at=ago(minutes=ended),
    )
    raw["status"]["startTime"] = format_time(ago(minutes=began))
    terminated = raw["status"]["steps"][0]["terminated"]
    terminated["startedAt"] = format_time(ago(minutes=began) + timedelta(seconds=5))
    terminated["finishedAt"] = format_time(ago(minutes=ended))
    return raw


def test_tasks_are_told_in_the_order_they_ran_in() -> None:
    execution = make_execution(
        phase=Phase.FAILED, number=1, started_at=ago(minutes=9), completed_at=ago(minutes=1)
    )
    run = finished_run("mine", started_at=ago(minutes=9), completed_at=ago(minutes=1))
    task_runs = [task_run("change", 5, 2, 3), task_run("check", 8, 6, 0)]
    moments = moments_of(execution, run, task_runs)
    assert [moment.at for moment in moments] == sorted(moment.at for moment in moments)
    assert [(moment.what, moment.detail) for moment in moments][1:] == [
        ("decided", f"launched as {execution.run_namespace}/{execution.run_name}"),
        ("started", "Tekton took up the run"),
        ("task started", "check"),
        ("step started", "check/main"),
        ("step ended", "check/main: exit code 0, Completed"),
        ("task ended", "check: Succeeded"),
        ("task started", "change"),
        ("step started", "change/main"),
        ("step ended", "change/main: exit code 3, Error"),
        ("task ended", "change: Failed"),
        ("run ended", "Succeeded"),
        ("Failed", ""),
    ]


def test_a_step_that_tekton_skipped_is_told_as_skipped_and_has_no_log() -> None:
    recorded = Path(__file__).parents[2] / "recorded/exit-code-in-second-step.json"
    raw = json.loads(recorded.read_text())["taskRuns"]
    told = [(moment.what, moment.detail) for moment in moments_of(make_execution(), None, raw)]
    assert told[-4:] == [
        ("step started", "repair/change"),
        ("step ended", "repair/change: exit code 7, Error"),
        ("not started", "repair/check: skipped: an earlier step failed"),
        ("task ended", "repair: StepFailed"),
    ]
    assert [item.name for item in steps_with_logs(raw)] == [
        "look/look",
        "repair/read",
        "repair/change",
    ]


def test_a_container_that_only_waits_for_the_steps_before_it_has_not_started() -> None:
    """All containers of a pod start together; after one that was killed, the others wait."""
    recorded = Path(__file__).parents[2] / "recorded/out-of-memory-in-first-of-three.json"
    raw = json.loads(recorded.read_text())["taskRuns"]
    told = [(moment.what, moment.detail) for moment in moments_of(make_execution(), None, raw)]
    assert [item for item in told if item[0].startswith("step")] == [
        ("step started", "fill/grow"),
        ("step ended", "fill/grow: exit code 137, OOMKilled"),
    ]
    raw = [raw_task_run("change", "Unknown", steps=[step("done", 0), RUNNING, WAITING_TOO])]
    told = [(moment.what, moment.detail) for moment in moments_of(make_execution(), None, raw)]
    assert told[1:] == [("step started", "change/done"), ("step started", "change/now")]


def test_a_step_whose_condition_was_not_met_is_not_blamed_on_an_earlier_one() -> None:
    raw = raw_task_run("change", "True", steps=[step("maybe", 0, termination="Skipped")])
    raw["status"]["steps"][0]["terminated"]["finishedAt"] = format_time(ago(minutes=3))
    told = [(moment.what, moment.detail) for moment in moments_of(make_execution(), None, [raw])]
    assert ("not started", "change/maybe: skipped: its condition was not met") in told


@pytest.mark.parametrize(
    ("details", "task"),
    [
        ({}, "check"),
        ({"failedTaskName": "change", "failedStepName": "main"}, "change"),
        ({"failedTaskName": "change", "failedStepName": "other"}, None),
    ],
)
def test_the_step_that_failed_is_the_one_the_status_names(
    details: dict[str, str], task: str | None
) -> None:
    status = {"phase": "Failed", "failureDetails": details}
    execution = parse_execution(raw_execution(status=status))
    found = failed_step_of(execution, [task_run("check", 8, 6, 2), task_run("change", 5, 2, 3)])
    assert (found and found.task) == task
    assert found is None or (found.pod, found.container) == (f"run-{task}-pod", "step-main")


def scheduled(pod: str, uid: str, minutes: int) -> dict[str, Any]:
    """The Event about a pod that was put on a node."""
    return {
        "metadata": {"creationTimestamp": format_time(ago(minutes=minutes))},
        "involvedObject": {"kind": "Pod", "name": pod, "uid": uid},
    }


def test_a_pod_that_tekton_made_again_is_in_the_story() -> None:
    execution = make_execution(phase=Phase.RUNNING, number=1, started_at=ago(minutes=9))
    events = [
        scheduled("run-change-pod", "second", 5),
        scheduled("run-change-pod", "first", 8),
        scheduled("run-change-pod", "second", 4),
        scheduled("run-check-pod", "check", 8),
        scheduled("of-another-run", "one", 8),
        scheduled("of-another-run", "two", 7),
    ]
    task_runs = [task_run("check", 9, 8, 0), task_run("change", 8, 3, 0)]
    for order in (events, events[::-1]):
        moments = moments_of(execution, None, task_runs, scheduled=order)
        found = [(one.at, one.detail) for one in moments if one.what == "task started again"]
        assert found == [
            (
                ago(minutes=5),
                "change: its pod was gone; its steps begin from the start, and may run twice",
            )
        ]


def test_what_has_no_time_is_left_out() -> None:
    raw = raw_task_run("check", "Unknown", "Running", steps=[{"name": "main", "waiting": {}}])
    moments = moments_of(make_execution(), None, [raw])
    assert [moment.what for moment in moments] == ["created"]


@pytest.mark.parametrize(("number", "detail"), [(None, ""), (1, "its run is cancelled")])
def test_a_deletion_is_part_of_the_story(number: int | None, detail: str) -> None:
    execution = make_execution(deleted_at=NOW, number=number)
    created, deleted = moments_of(execution, None, [])
    assert (created.what, deleted.what, deleted.detail) == ("created", "deleted", detail)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (None, "waiting for the operator to see it"),
        ({"phase": "Pending"}, "Pending"),
        (
            {
                "phase": "Pending",
                "conditions": [
                    {"type": "Succeeded", "reason": "Waiting", "message": "it waits for this"}
                ],
            },
            "Pending (Waiting), it waits for this",
        ),
        (
            {
                "phase": "Running",
                "pipelineRunRef": {"name": "r"},
                "pipelineRunStatus": {"completedTasks": 1, "totalTasks": 3},
                "conditions": [{"type": "Succeeded", "reason": "Stopping"}],
            },
            "Running (Stopping), 1 of 3 tasks done, run r",
        ),
    ],
)
def test_progress_is_one_line(status: dict[str, Any] | None, told: str) -> None:
    assert progress_of(parse_execution(raw_execution(status=status))) == told


def test_who_held_cancelled_and_cleared_is_part_of_the_story() -> None:
    notes = {identity.CLEAR_ANNOTATION: "joe at 2026-01-02T12:05:00Z: looked\nat it"}
    failed = {
        "phase": "Failed",
        "startTime": format_time(ago(minutes=9)),
        "completionTime": format_time(ago(minutes=1)),
        "failureDetails": {
            "reason": "Unknown",
            "naturalLanguageSummary": f"It failed. {CAUSES[Cause.CANCELLED].to_do}",
        },
    }
    raw = raw_execution(status=failed)
    raw["metadata"]["annotations"] = notes
    execution = parse_execution(raw)
    cancelled = cancellation_of("jane", ago(minutes=2), "wrong target")
    run = replace(finished_run("mine", completed_at=ago(minutes=1)), cancellation=cancelled)
    hold = make_hold(expiresAt=format_time(ago(minutes=10)))
    which = f"WorkflowHold {hold.namespace}/freeze"
    moments = moments_of(execution, run, [], [hold, make_hold("else", workflowId="other")])
    assert [(item.what, item.detail) for item in moments][1:] == [
        ("held", f"by jane: release ({which})"),
        ("hold expired", which),
        ("decided", "launched as a run"),
        ("cancelled", "by jane: wrong target"),
        ("run ended", "Succeeded"),
        ("Failed", "Cancelled"),
        ("cleared", "by joe: looked at it"),
    ]
    assert [item.at for item in moments] == sorted(item.at for item in moments)


def test_a_hold_that_came_later_or_was_over_is_not_in_the_story() -> None:
    decided = make_execution(phase=Phase.RUNNING, number=1, started_at=ago(minutes=59))
    later = replace(make_hold("later"), since=ago(minutes=58))
    over = replace(make_hold("over"), since=ago(hours=3), until=ago(hours=2))
    moments = moments_of(decided, None, [], [later, over])
    assert [item.what for item in moments] == ["created", "decided"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, ["created", "held", "released", "decided"]),
        # The clocks differ, and nothing is decided before it is released.
        (2, ["created", "held", "released", "decided"]),
        (-30, ["created", "held", "released", "decided"]),
        # This one has not let it go.
        (60, ["created", "decided"]),
        (-9999, ["created", "decided"]),
    ],
)
def test_a_release_is_in_the_story_though_the_hold_is_deleted(
    seconds: int, told: list[str]
) -> None:
    raw = raw_execution(status={"phase": "Running", "startTime": format_time(ago(minutes=30))})
    hold = replace(make_hold(), since=ago(minutes=45))
    release = Release(hold, "ada", ago(minutes=30) + timedelta(seconds=seconds))
    other = Release(make_hold("else", workflowId="other"), "ada", release.at)
    moments = moments_of(parse_execution(raw), None, [], releases=[release, other])
    assert [item.what for item in moments] == told
    details = [item.detail for item in moments if item.what == "released"]
    assert details == [f"by ada (WorkflowHold {hold.namespace}/freeze)"] * ("held" in told)


@pytest.mark.parametrize(
    "note", ["", "looked at it", "joe at noon: x", "joe at 2026-99-99T00:00:00Z: x"]
)
def test_a_clearing_without_a_time_has_no_place_in_it(note: str) -> None:
    raw = raw_execution()
    raw["metadata"]["annotations"] = {identity.CLEAR_ANNOTATION: note}
    assert [item.what for item in moments_of(parse_execution(raw), None, [])] == ["created"]


@pytest.mark.parametrize(
    ("started", "is_asked"),
    [(None, True), (ago(minutes=60, seconds=-9), False), (ago(minutes=59), True)],
)
def test_holds_matter_to_what_has_waited(started: datetime | None, is_asked: bool) -> None:
    phase = Phase.RUNNING if started else None
    execution = make_execution(phase=phase, number=1 if started else None, started_at=started)
    assert may_have_been_held(execution) is is_asked
