"""Which steps have a log, and in which order they are told."""

from datetime import timedelta
from typing import Any

from builders import NOW, raw_task_run, step
from workflowexecution.api.fields import format_time
from workflowexecution.views.steps import steps_with_logs


def task(name: str, started: int, *steps: dict[str, Any], pod: str | None = None) -> Any:
    raw = raw_task_run(name, steps=steps, pod_name=pod)
    raw["status"]["startTime"] = format_time(NOW + timedelta(seconds=started))
    return raw


WAITING = step("later", waiting={"reason": "PodInitializing"})
RUNNING = step("now", running={"startedAt": format_time(NOW)})


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
