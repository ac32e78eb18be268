"""Any look at the TaskRuns and pods of a run may show that something of it has begun."""

from dataclasses import replace
from typing import Any

import pytest

from builders import make_task_run, step
from workflowexecution.core.facts.leftovers import has_begun, seen_again
from workflowexecution.core.facts.pod import Pod
from workflowexecution.core.facts.taskrun import TaskRun

CUT_OFF = step("work", 1, "TaskRunCancelled", "TaskRunCancelled")
RUNNING = step("work", running={"startedAt": "2026-01-01T00:00:00Z"})
TEKTONS_WORD = replace(
    make_task_run("work", reason="TaskRunCancelled", steps=[CUT_OFF]), has_sidecars=True
)
AT_WORK = replace(make_task_run("work", "Unknown", "Running", steps=[RUNNING]), has_sidecars=True)


def child(of: TaskRun = TEKTONS_WORD, **given: Any) -> TaskRun:
    return replace(of, **given)


def pod(*, has_started: bool) -> Pod:
    return Pod(
        name="run-work-pod",
        namespace="runs",
        uid="u",
        node="n",
        is_active=True,
        has_started=has_started,
        deadline=None,
    )


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        pytest.param(child(), None, id="the-pod-was-never-seen"),
        pytest.param(child(let_begin=False), None, id="held-when-last-seen"),
        pytest.param(child(let_begin=False, is_held=True), False, id="held-to-its-end"),
        pytest.param(child(let_begin=True), True, id="let-begin"),
        pytest.param(child(has_sidecars=False), True, id="nothing-to-wait-for"),
        pytest.param(child(AT_WORK), None, id="still-written-as-running"),
        pytest.param(child(earlier=(child(let_begin=True),)), True, id="an-attempt-before"),
        pytest.param(child(has_begun=True, steps=()), True, id="a-custom-task"),
        pytest.param(child(steps=()), False, id="no-step"),
    ],
)
def test_where_only_tekton_tells_of_a_step_that_it_may_have_held_it_is_not_known(
    task: TaskRun, expected: bool | None
) -> None:
    assert has_begun([task]) is expected


@pytest.mark.parametrize("ended", [step("work", 0), step("work", 5)])
def test_a_step_that_ended_by_itself_had_begun(ended: dict[str, Any]) -> None:
    task = make_task_run("work", reason="TaskRunCancelled", steps=[ended, CUT_OFF])
    assert has_begun([replace(task, has_sidecars=True)]) is True


def test_one_that_surely_began_counts_more_than_one_in_doubt() -> None:
    sure = make_task_run("other", "True", "Succeeded", steps=[step("a", 0)])
    assert has_begun([child(), sure]) is True


def test_a_pod_whose_step_works_is_proof() -> None:
    assert has_begun([child(let_begin=False)], [pod(has_started=True)]) is True
    assert has_begun([], [pod(has_started=False)]) is False
    assert has_begun([]) is False


def test_a_look_at_a_task_at_work_tells_only_how_it_stood_then() -> None:
    held = child(AT_WORK, let_begin=False, is_held=True, awaits=("proxy",))
    seen = seen_again(held, TEKTONS_WORD)
    assert (seen.let_begin, seen.is_held, has_begun([seen])) == (False, False, None)
    assert seen.was_held_last


def test_a_pod_that_is_being_deleted_lets_no_step_begin_any_more() -> None:
    held = child(AT_WORK, let_begin=False, is_held=True, is_pod_going=True, awaits=("proxy",))
    seen = seen_again(held, TEKTONS_WORD)
    assert (seen.is_held, seen.awaits, has_begun([seen])) == (True, ("proxy",), False)


def test_the_pod_of_another_attempt_tells_nothing() -> None:
    held = child(AT_WORK, let_begin=False, pod_name="run-work-pod")
    retried = child(pod_name="run-work-pod-retry1")
    assert seen_again(held, retried) == retried


def test_another_task_of_the_same_name_is_another_one() -> None:
    held = child(let_begin=False, is_held=True, uid="before")
    assert seen_again(held, TEKTONS_WORD) == TEKTONS_WORD
