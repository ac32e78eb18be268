"""The leftovers of a run show whether anything of it executes, and whether anything had begun."""

from dataclasses import replace
from typing import Any

import pytest

from builders import (
    NOW,
    RUN_NAMESPACE,
    TARGET,
    ago,
    finished_run,
    make_run,
    make_task_run,
    raw_run,
    raw_task_run,
    step,
)
from workflowexecution.api.reading import format_time
from workflowexecution.core import names
from workflowexecution.core.facts.leftovers import (
    Leftovers,
    has_left_only_pods,
    is_of_run,
    run_of_pod,
)
from workflowexecution.core.facts.pipeline import ChildKinds
from workflowexecution.core.facts.pod import Pod, parse_pod
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import ChildKind, parse_child

RUNNING: dict[str, Any] = {"running": {}}
WAITING: dict[str, Any] = {"waiting": {}}


def a_pod(**given: Any) -> Pod:
    facts: dict[str, Any] = {"is_active": True, "has_started": True, "deadline": None}
    return Pod(name="p", namespace="", uid="", node="", **{**facts, **given})


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
    assert parse_pod(raw) == a_pod(is_active=is_active, has_started=has_started)


def failed(*, custom_runs: bool = False, runs: bool = False, minutes: int = 1) -> Run:
    run = make_run(
        "mine", created_at=ago(hours=1), succeeded="False", completed_at=ago(minutes=minutes)
    )
    children = ChildKinds(may_outlast=False, custom_runs=custom_runs, runs=runs)
    return replace(run, children=children)


IDLE = make_task_run("done", steps=[step("a", 0)])
ACTIVE = make_task_run("on", "Unknown", "Running")


@pytest.mark.parametrize(
    ("leftovers", "is_active", "has_started"),
    [
        pytest.param(Leftovers(), False, False, id="nothing"),
        pytest.param(Leftovers(task_runs=(IDLE,)), False, True, id="a-task-that-ended"),
        pytest.param(Leftovers(task_runs=(IDLE, ACTIVE)), True, True, id="a-task-under-way"),
        pytest.param(
            Leftovers(pods=(a_pod(is_active=True, has_started=False),)), True, False, id="a-pod"
        ),
        pytest.param(
            Leftovers(task_runs=(IDLE,), pods=(a_pod(is_active=True, has_started=True),)),
            True,
            True,
            id="a-pod-that-outlives-its-task",
        ),
    ],
)
def test_what_is_left_tells_whether_a_target_is_free(
    leftovers: Leftovers, is_active: bool, has_started: bool
) -> None:
    assert (leftovers.is_active, leftovers.has_started) == (is_active, has_started)


def test_what_never_started_comes_first_and_is_named() -> None:
    begun = a_pod()
    fresh = a_pod(has_started=False)
    over = a_pod(is_active=False)
    left = Leftovers(pods=(begun, over, fresh))
    assert left.active_pods == (fresh, begun)
    assert left.describe() == "pod /p and 1 more"
    assert Leftovers(task_runs=(ACTIVE,)).describe() == "TaskRun run-on"
    assert Leftovers(pods=(over,)).describe() == ""


def labelled_pod(name: str, **labels: str) -> dict[str, Any]:
    """A pod as Tekton makes it: with the labels and annotations of its run."""
    meta = raw_run("mine", name=name)["metadata"]
    marks = {
        "tekton.dev/pipelineRun": name,
        "tekton.dev/pipelineRunUID": meta["uid"],
        names.KEY_TARGET_HASH: names.target_hash(TARGET),
        **labels,
    }
    return {"metadata": {**meta, "name": f"{name}-pod", "labels": marks}}


def test_a_pod_tells_which_run_it_is_left_of() -> None:
    name = names.run_name(TARGET, 4)
    run = run_of_pod(labelled_pod(name))
    assert run is not None
    assert (run.key, run.uid, run.target) == ((RUN_NAMESPACE, name), f"uid-of-{name}", TARGET)
    assert (run.run_number, run.is_gone, str(run.state)) == (4, True, "Stopping")
    assert run.owner is not None
    assert run.owner.uid == "uid-of-mine"


def test_a_pod_of_a_rerun_is_of_nobody_and_on_the_target_all_the_same() -> None:
    run = run_of_pod(labelled_pod(f"{names.run_name(TARGET, 4)}-r-abc12"))
    assert run is not None
    assert (run.owner, run.target_key) == (None, names.target_key(TARGET))


def test_a_pod_whose_annotations_were_lost_is_on_its_target_by_its_label() -> None:
    raw = labelled_pod("any")
    raw["metadata"]["annotations"] = {}
    run = run_of_pod(raw)
    assert run is not None
    assert (run.target, run.target_key) == (None, names.target_key(TARGET))
    raw["metadata"]["labels"].pop(names.KEY_TARGET_HASH)
    assert run_of_pod(raw) is None


@pytest.mark.parametrize(
    ("waiting", "complaint"),
    [
        ({"reason": "CreateContainerConfigError", "message": 'secret "x" not found'}, "secret"),
        ({"reason": "PodInitializing", "message": "usual"}, ""),
        ({"reason": "ContainerCreating"}, ""),
        ({}, ""),
    ],
)
def test_what_the_node_complains_of_is_kept(waiting: dict[str, str], complaint: str) -> None:
    pod = parse_pod(raw_pod("Pending", step_a=RUNNING, step_b={"waiting": waiting}))
    assert pod.complaint.startswith(complaint)
    assert bool(pod.complaint) == bool(complaint)
    assert Leftovers(pods=(pod,)).complaint == pod.complaint


def test_a_pod_being_deleted_is_active_until_it_has_ended() -> None:
    raw = raw_pod("Running", step_a=RUNNING)
    raw["metadata"]["deletionTimestamp"] = format_time(NOW)
    assert parse_pod(raw) == a_pod(deadline=NOW)


DONE: dict[str, Any] = {"terminated": {"exitCode": 0}}


def pod_of(
    states: dict[str, dict[str, Any]],
    *,
    phase: str = "Running",
    native: tuple[str, ...] = (),
    ephemeral: tuple[str, ...] = (),
) -> dict[str, Any]:
    """A pod of these containers, each in its state; some are of another kind than the others."""
    kinds = {name: "initContainers" for name in native}
    kinds |= {name: "ephemeralContainers" for name in ephemeral}
    spec: dict[str, list[Any]] = {}
    status: dict[str, Any] = {"phase": phase}
    for name, state in states.items():
        kind = kinds.get(name, "containers")
        spec.setdefault(kind, []).append({"name": name})
        if state:
            statuses = status.setdefault(f"{kind[:-1]}Statuses", [])
            statuses.append({"name": name, "state": state})
    return {"metadata": {"name": "p"}, "spec": spec, "status": status}


@pytest.mark.parametrize(
    ("raw", "is_active", "kept_by"),
    [
        pytest.param(pod_of({"step-a": DONE, "step-b": WAITING}), True, (), id="a-step-waits"),
        pytest.param(pod_of({"step-a": DONE, "step-b": {}}), True, (), id="a-step-nobody-tells-of"),
        pytest.param(pod_of({"step-a": {}}, phase="Pending"), True, (), id="nothing-began"),
        pytest.param(pod_of({"step-a": DONE}), False, (), id="all-steps-ended"),
        pytest.param(
            pod_of({"step-a": DONE, "sidecar-x": RUNNING}), True, (), id="a-sidecar-works"
        ),
        pytest.param(pod_of({"step-a": DONE, "sidecar-x": DONE}), False, (), id="it-ended"),
        pytest.param(
            pod_of({"step-a": DONE, "sidecar-tekton-log-results": RUNNING}),
            False,
            (),
            id="tektons-own-reads-results",
        ),
        pytest.param(
            pod_of({"step-a": DONE, "istio-proxy": RUNNING}), False, ("istio-proxy",), id="a-mesh"
        ),
        pytest.param(
            pod_of({"step-a": RUNNING, "istio-proxy": RUNNING}), True, (), id="a-mesh-beside-a-step"
        ),
        pytest.param(
            pod_of({"step-a": DONE, "istio-proxy": RUNNING}, phase="Failed"), False, (), id="over"
        ),
        pytest.param(
            pod_of({"step-a": DONE, "debugger-x": RUNNING}, ephemeral=("debugger-x",)),
            False,
            ("debugger-x",),
            id="somebody-debugs",
        ),
        pytest.param(
            pod_of({"step-a": DONE, "sidecar-x": RUNNING}, native=("sidecar-x",)),
            True,
            (),
            id="a-sidecar-of-kubernetes-kind",
        ),
        pytest.param(
            pod_of({"step-a": DONE, "sidecar-x": DONE}, native=("sidecar-x",)),
            False,
            (),
            id="it-ended-after-the-steps",
        ),
        pytest.param(
            pod_of(
                {"step-a": DONE, "istio-proxy": RUNNING, "sidecar-x": DONE}, native=("sidecar-x",)
            ),
            True,
            (),
            id="it-is-started-again-while-another-works",
        ),
        pytest.param(
            pod_of({"step-a": DONE, "prepare": RUNNING}, native=("prepare",)),
            False,
            ("prepare",),
            id="tektons-own-preparations",
        ),
        pytest.param(pod_of({"istio-proxy": DONE}), True, (), id="not-a-pod-of-steps"),
    ],
)
def test_of_a_pod_only_the_workflows_containers_hold(
    raw: dict[str, Any], is_active: bool, kept_by: tuple[str, ...]
) -> None:
    pod = parse_pod(raw)
    assert (pod.is_active, pod.kept_by) == (is_active, kept_by)
    assert [kept.name for kept in Leftovers(pods=(pod,)).kept_pods] == (["p"] if kept_by else [])


def test_a_pod_that_somebody_deletes_is_not_left_alone() -> None:
    raw = pod_of({"step-a": DONE, "istio-proxy": RUNNING})
    raw["metadata"]["deletionTimestamp"] = format_time(NOW)
    assert Leftovers(pods=(parse_pod(raw),)).kept_pods == ()


CUSTOM = parse_child(raw_task_run("approve", "Unknown"), ChildKind.CUSTOM_RUN)


def test_children_of_other_kinds_hold_and_are_named() -> None:
    left = Leftovers(task_runs=(ACTIVE, CUSTOM))
    assert Leftovers(task_runs=(CUSTOM,)).describe() == "CustomRun run-approve"
    # A TaskRun is ended by Tekton, and its pod by us.
    assert left.endable_children == (CUSTOM,)
    gone = (replace(CUSTOM, is_deleting=True), replace(CUSTOM, succeeded="False"))
    assert Leftovers(task_runs=gone).endable_children == ()


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        pytest.param(finished_run("mine"), True, id="succeeded-just-now"),
        pytest.param(finished_run(None, completed_at=ago(minutes=1)), False, id="not-one-of-ours"),
        pytest.param(finished_run(None, completed_at=ago(minutes=11)), True, id="long-ago"),
        pytest.param(failed(minutes=1), False, id="failed-just-now"),
        pytest.param(failed(minutes=11), True, id="failed-long-ago"),
        pytest.param(failed(custom_runs=True, minutes=11), False, id="with-a-custom-task"),
        pytest.param(failed(runs=True, minutes=11), False, id="with-a-run-that-is-a-task"),
        pytest.param(make_run("mine", deleted_at=NOW), False, id="being-deleted"),
    ],
)
def test_what_a_list_of_pods_can_tell_alone(run: Run, expected: bool) -> None:
    assert has_left_only_pods(run, NOW) is expected


@pytest.mark.parametrize(
    ("label", "uid", "expected"),
    [("1", "1", True), ("1", "2", False), ("", "2", True), ("1", "", True)],
)
def test_a_name_that_was_used_again_is_told_apart_by_uid(
    label: str, uid: str, expected: bool
) -> None:
    labels = {"tekton.dev/pipelineRunUID": label} if label else {}
    assert is_of_run({"metadata": {"labels": labels}}, uid) is expected
