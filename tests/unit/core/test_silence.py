"""A silent run waits for something that is named, and is looked at ever more rarely."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builders import ago, make_run, make_task_run, step
from workflowexecution.core.facts.taskrun import TaskRun
from workflowexecution.core.silence import (
    Silence,
    last_warning,
    look_interval,
    may_have_waited,
    of_preparing,
    silence_of,
    unprepared_pod,
    waits_for_resolver,
    was_unprepared,
    words_of_node,
)

NO_NODE = "0/1 nodes are available: 1 Insufficient cpu."
QUOTA = 'Failed to create TaskRuns ["r-work"]: taskruns "r-work" is forbidden: exceeded quota: q'


def active(name: str, *steps: dict[str, Any], reason: str = "Pending", said: str = "") -> TaskRun:
    return make_task_run(name, "Unknown", reason, message=said, steps=steps, completed_at=None)


def pod_of(task: TaskRun, **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": task.pod_name, "namespace": "runs", "uid": "1"}, "status": status}


def unscheduled(status: str) -> dict[str, Any]:
    condition = {"type": "PodScheduled", "status": status, "message": NO_NODE}
    return {"conditions": [{"type": "Ready", "status": "False", "message": "x"}, condition]}


def gated(*gates: str) -> dict[str, Any]:
    said = {"type": "PodScheduled", "status": "False", "message": "gates"}
    pod = pod_of(WAITS, conditions=[said])
    return {**pod, "spec": {"schedulingGates": [{"name": gate} for gate in gates]}}


def waiting(reason: str, message: str) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    return {"containerStatuses": [{"name": "step-work", "state": state}]}


def warning(reason: str, message: str, at: str, **more: str) -> dict[str, Any]:
    return {"reason": reason, "message": message, "lastTimestamp": at, **more}


WORKING = active("a", step("work", running={"startedAt": "2026-01-01T12:00:00Z"}), reason="Running")
WAITS = active("b", reason="ExceededNodeResources", said="exceeded available resources")
RETRIED = replace(active("c", said="again"), earlier=(make_task_run("c", steps=[step("work", 1)]),))
NOON, LATER = "2026-01-01T12:00:00Z", "2026-01-01T12:00:09Z"


@pytest.mark.parametrize(
    ("looks", "seconds"), [(0, 30), (1, 60), (2, 120), (3, 120), (1_000_000, 120)]
)
def test_looks_become_rarer_up_to_a_limit(looks: int, seconds: int) -> None:
    assert look_interval(looks) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("tasks", "pods", "expected"),
    [
        pytest.param([WORKING], [], Silence(is_at_work=True), id="its-step-works"),
        pytest.param(
            [WAITS],
            [pod_of(WAITS, **unscheduled("False"))],
            Silence(f"task 'b' has not begun: its pod cannot be scheduled: {NO_NODE}"),
            id="no-room",
        ),
        pytest.param(
            [WAITS],
            [gated("queue.example/admission", "other")],
            Silence(
                "task 'b' has not begun: its pod cannot be scheduled: gates "
                "(queue.example/admission, other)"
            ),
            id="gated",
        ),
        pytest.param(
            [RETRIED],
            [],
            Silence("task 'c' has not begun: Pending: again"),
            id="an-earlier-attempt-had-begun",
        ),
        pytest.param(
            [WAITS],
            [pod_of(WAITS, **unscheduled("True"), **waiting("ImagePullBackOff", "no such image"))],
            Silence("task 'b' has not begun: no such image"),
            id="no-image",
        ),
        pytest.param(
            [WAITS],
            [pod_of(WAITS, **waiting("PodInitializing", "soon")), {"metadata": {"name": "other"}}],
            Silence("task 'b' has not begun: ExceededNodeResources: exceeded available resources"),
            id="nothing-told-but-by-tekton",
        ),
        pytest.param(
            [WAITS],
            [],
            Silence("task 'b' has not begun: ExceededNodeResources: exceeded available resources"),
            id="without-a-pod",
        ),
        pytest.param(
            [WORKING, WAITS],
            [],
            Silence("task 'b' has not begun: ExceededNodeResources: exceeded available resources"),
            id="one-works-and-one-waits",
        ),
    ],
)
def test_a_look_tells_what_has_not_begun(
    tasks: list[TaskRun], pods: list[dict[str, Any]], expected: Silence
) -> None:
    assert silence_of(make_run("mine"), tasks, pods, []) == expected


def test_what_tekton_cannot_make_it_tells_in_an_event() -> None:
    done = make_task_run("a", "True", "Succeeded")
    told = [warning("TaskRunsCreationFailed", QUOTA, NOON)]
    for reason in ("Running", "ResolvingPipelineRef", "ResolvingTaskRef"):
        # Tekton leaves the reason as it was where it cannot make the first task.
        run = make_run("mine", reason=reason, tasks=["work"])
        found = silence_of(run, [done], [], told)
        assert found == Silence(f"TaskRunsCreationFailed: {QUOTA}")


@pytest.mark.parametrize(("reason", "expected"), [("Running", False), ("ResolvingTaskRef", True)])
def test_without_a_warning_a_task_may_wait_for_the_resolver(reason: str, expected: bool) -> None:
    found = silence_of(make_run("mine", reason=reason, tasks=["work"]), [], [], [])
    assert (bool(found.waits_for), found.is_at_work) == (expected, False)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([], ""),
        ([warning("Failed", "failed to finish within 1m", LATER)], ""),
        ([warning("A", "first", NOON), warning("B", "second", LATER)], "B: second"),
        ([warning("B", "second", LATER), warning("A", "first", NOON)], "B: second"),
        ([warning("InternalError", "more words", NOON), warning("A", "few", NOON)], "A: few"),
        ([warning("A", "first", NOON), warning("B", "new", "", eventTime=LATER)], "B: new"),
        ([warning("A", "", NOON)], ""),
        (
            [
                warning("FailedMount", "no secret", NOON),
                warning("FailedMount", "Unable to attach or mount volumes: x", LATER),
            ],
            "FailedMount: no secret",
        ),
        (
            [warning("FailedMount", "Unable to attach or mount volumes: x", LATER)],
            "FailedMount: Unable to attach or mount volumes: x",
        ),
    ],
)
def test_the_newest_warning_counts(told: list[dict[str, Any]], expected: str) -> None:
    assert last_warning(told) == expected


@pytest.mark.parametrize(
    ("reason", "is_resolved", "expected"),
    [
        ("ResolvingPipelineRef", False, True),
        ("ResolvingPipelineRef", True, False),
        ("ResolvingTaskRef", True, False),
        ("PipelineRunTimeout", False, True),
        ("PipelineRunTimeout", True, False),
        ("Running", True, False),
        ("Started", False, False),
    ],
)
def test_a_resolver_is_asked_after_only_while_a_bundle_is_fetched(
    reason: str, is_resolved: bool, expected: bool
) -> None:
    run = make_run("mine", reason=reason, tasks=["work"] if is_resolved else [])
    assert ("does Tekton's resolver run" in waits_for_resolver(run)) is expected


def test_events_can_tell_only_of_a_late_run_without_a_task_to_blame() -> None:
    late = make_run("mine", succeeded="False", reason="PipelineRunTimeout", completed_at=ago())
    assert may_have_waited(late, [])
    assert may_have_waited(late, [make_task_run("a", "True", "Succeeded")])
    assert not may_have_waited(late, [make_task_run("a", reason="TaskRunCancelled")])
    assert not may_have_waited(make_run("mine", succeeded="False", reason="Failed"), [])


MOUNT = 'MountVolume.SetUp failed for volume "s" : secret "nowhere" not found'


def conditions(**known: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status} for kind, status in known.items()]}


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(conditions(), "", id="nothing-known"),
        pytest.param(conditions(PodScheduled="False"), "", id="no-node"),
        pytest.param(conditions(PodScheduled="True"), WAITS.pod_name, id="older-node"),
        pytest.param(
            conditions(PodScheduled="True", PodReadyToStartContainers="False"),
            WAITS.pod_name,
            id="mounting",
        ),
        pytest.param(
            conditions(PodScheduled="True", PodReadyToStartContainers="True"), "", id="mounted"
        ),
    ],
)
def test_events_of_a_pod_are_asked_for_while_its_node_prepares_it(
    known: dict[str, Any], expected: str
) -> None:
    assert unprepared_pod([WAITS], [pod_of(WAITS, **known)]) == expected


def test_no_pod_is_prepared_where_nothing_waits_or_there_is_none() -> None:
    assert unprepared_pod([], []) == ""
    assert unprepared_pod([WAITS], [{"metadata": {"name": "other"}}]) == ""
    assert unprepared_pod([active("d")], [{"metadata": {}}]) == ""


def test_the_node_is_quoted_on_what_it_cannot_prepare() -> None:
    pods = [pod_of(WAITS, **conditions(PodScheduled="True"))]
    found = silence_of(make_run("mine"), [WAITS], pods, [warning("FailedMount", MOUNT, NOON)])
    assert found == Silence(f"task 'b' has not begun: FailedMount: {MOUNT}")


def test_what_a_container_waits_for_is_said_before_what_was_warned_of() -> None:
    pods = [pod_of(WAITS, **conditions(PodScheduled="True"), **waiting("ErrImagePull", "no image"))]
    found = silence_of(make_run("mine"), [WAITS], pods, [warning("FailedMount", MOUNT, NOON)])
    assert found == Silence("task 'b' has not begun: no image")


def test_of_a_pods_warnings_those_count_that_keep_it_from_being_prepared() -> None:
    since = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
    mine = [
        warning("FailedMount", MOUNT, NOON),
        warning("FailedCreatePodSandBox", "no address", "", eventTime="2026-01-01T12:00:01.5Z"),
    ]
    others = [
        warning("FailedMount", "of a pod before it", "2026-01-01T11:59:59Z"),
        warning("FailedScheduling", "no room, then", LATER),
        warning("FailedToRetrieveImagePullSecret", "it may be public", LATER),
        warning("FailedMount", "undated", ""),
    ]
    assert of_preparing([*mine, *others], since) == mine


UNPREPARED = (
    "TaskRun was cancelled.\nPrevious status: [Pending] pod status "
    '"PodReadyToStartContainers":"False"; message: ""'
)


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        pytest.param([], None, id="no-task"),
        pytest.param([make_task_run("a", message="exit code 1")], None, id="another-end"),
        pytest.param([make_task_run("a", "True", message=UNPREPARED)], None, id="it-worked"),
        pytest.param([make_task_run("a", message=UNPREPARED, pod_name="")], None, id="no-pod"),
        pytest.param(
            [make_task_run("b", message=UNPREPARED), make_task_run("a", message=UNPREPARED)],
            "a",
            id="both",
        ),
    ],
)
def test_a_task_that_ended_while_its_pod_was_prepared_is_found(
    tasks: list[TaskRun], expected: str | None
) -> None:
    found = was_unprepared(tasks)
    assert (found.task_name if found else None) == expected


def test_words_of_a_node_name_the_task_and_nothing_stays_nothing() -> None:
    told = [warning("FailedMount", MOUNT, NOON)]
    assert words_of_node(WAITS, told) == f"task 'b' has not begun: FailedMount: {MOUNT}"
    assert words_of_node(WAITS, []) == ""


@pytest.mark.parametrize(
    ("ready", "expected"),
    [
        (
            "",
            Silence("task 'a' has not begun: its steps wait until sidecar 'proxy' is ready"),
        ),
        ("READY", Silence(is_at_work=True)),
    ],
)
def test_a_step_that_waits_for_a_sidecar_is_not_at_work(ready: str, expected: Silence) -> None:
    """Its container runs, and Tekton writes it as running."""
    pod = pod_of(WORKING, phase="Running", containerStatuses=[{"name": "sidecar-proxy"}])
    pod["metadata"]["annotations"] = {"tekton.dev/ready": ready}
    pod["spec"] = {"containers": [{"name": "step-work", "args": ["/tekton/downward/ready"]}]}

    assert silence_of(make_run("mine"), [WORKING], [pod], []) == expected
