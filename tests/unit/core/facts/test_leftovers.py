"""What is left of a run: whether anything of it executes, and whether anything had begun."""

from typing import Any

import pytest

from builders import make_task_run, step
from workflowexecution.core.facts.leftovers import Pod, Remains, parse_pod

RUNNING: dict[str, Any] = {"running": {}}
WAITING: dict[str, Any] = {"waiting": {}}


def raw_pod(phase: str, **states: dict[str, Any]) -> dict[str, Any]:
    statuses = [{"name": name.replace("_", "-"), "state": state} for name, state in states.items()]
    return {"metadata": {"name": "p"}, "status": {"phase": phase, "containerStatuses": statuses}}


@pytest.mark.parametrize(
    ("raw", "is_active", "has_started"),
    [
        pytest.param(raw_pod("Pending", step_a=WAITING), True, False, id="waiting"),
        pytest.param(raw_pod("Running", step_a=RUNNING), True, True, id="running"),
        pytest.param(raw_pod("Failed", step_a={"terminated": {}}), False, True, id="failed"),
        pytest.param(raw_pod("Succeeded", step_a={"terminated": {}}), False, True, id="succeeded"),
        pytest.param(raw_pod("Unknown"), True, False, id="on-a-lost-node"),
        pytest.param(raw_pod("Running", sidecar_a=RUNNING), True, False, id="only-a-sidecar"),
        pytest.param({"metadata": {"name": "p"}}, True, False, id="without-a-status"),
        pytest.param({"metadata": {"name": "p"}, "status": None}, True, False, id="odd"),
    ],
)
def test_a_pod_is_read_on_the_safe_side(
    raw: dict[str, Any], is_active: bool, has_started: bool
) -> None:
    assert parse_pod(raw) == Pod(name="p", is_active=is_active, has_started=has_started)


IDLE = make_task_run("done", steps=[step("a", 0)])
ACTIVE = make_task_run("on", "Unknown", "Running")


@pytest.mark.parametrize(
    ("remains", "is_active", "has_started"),
    [
        pytest.param(Remains(), False, False, id="nothing"),
        pytest.param(Remains(task_runs=(IDLE,)), False, True, id="a-task-that-ended"),
        pytest.param(Remains(task_runs=(IDLE, ACTIVE)), True, True, id="a-task-under-way"),
        pytest.param(
            Remains(pods=(Pod("p", is_active=True, has_started=False),)), True, False, id="a-pod"
        ),
        pytest.param(
            Remains(task_runs=(IDLE,), pods=(Pod("p", is_active=True, has_started=True),)),
            True,
            True,
            id="a-pod-that-outlives-its-task",
        ),
    ],
)
def test_what_is_left_tells_whether_a_target_is_free(
    remains: Remains, is_active: bool, has_started: bool
) -> None:
    assert (remains.is_active, remains.has_started) == (is_active, has_started)
