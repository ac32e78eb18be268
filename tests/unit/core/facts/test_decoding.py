"""Runs as decisions see them, and as odd as they may legally be."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import (
    NAMESPACE,
    NOW,
    RUN_NAMESPACE,
    TARGET,
    ago,
    make_run,
    raw_run,
    run_status,
)
from workflowexecution.core import names
from workflowexecution.core.facts.decoding import parse_run
from workflowexecution.core.facts.execution import Request
from workflowexecution.core.facts.pipeline import ANY_CHILDREN, ChildKinds
from workflowexecution.core.facts.run import Asked, Owner, Run, RunState

RUN_NAME = names.run_name(TARGET, 1)
PLAIN = ChildKinds(may_outlast=False, custom_runs=False, runs=False)


def run_of(**differs: Any) -> Run:
    seen: dict[str, Any] = {
        "name": RUN_NAME,
        "namespace": RUN_NAMESPACE,
        "uid": f"uid-of-{RUN_NAME}",
        "resource_version": "1",
        "target_key": names.target_key(TARGET),
        "run_number": 1,
        "target": TARGET,
        "workflow_id": "restart",
        "owner": Owner(uid="uid-of-mine", namespace=NAMESPACE, name="mine"),
        "succeeded": "Unknown",
        "reason": "",
        "message": "",
        "created_at": ago(minutes=10),
        "started_at": None,
        "completed_at": None,
        "completed_tasks": 0,
        "task_names": (),
        "is_deleting": False,
        "asked": Asked.NOTHING,
        "has_stopped": False,
    }
    return Run(**{**seen, **differs})


def test_reads_a_run_that_has_ended() -> None:
    message = "Tasks Completed: 2 (Failed: 1, Cancelled 0), Skipped: 1"
    status = run_status(
        "False",
        "Failed",
        message,
        started_at=ago(minutes=9),
        completed_at=ago(minutes=1),
        tasks=["check", "change"],
        final_tasks=["report"],
    )
    raw = raw_run("mine", status=status, spec={"status": "Cancelled"}, deleted_at=NOW)
    assert parse_run(raw) == run_of(
        succeeded="False",
        reason="Failed",
        message=message,
        started_at=ago(minutes=9),
        completed_at=ago(minutes=1),
        completed_tasks=2,
        task_names=("check", "change", "report"),
        is_deleting=True,
        asked=Asked.CANCEL,
        has_finally=True,
        children=PLAIN,
    )


@pytest.mark.parametrize(
    "status",
    [
        None,
        {},
        "odd",
        {"conditions": None, "startTime": None, "completionTime": "", "pipelineSpec": None},
        {"conditions": [], "pipelineSpec": {"tasks": None, "finally": None}},
        {"conditions": "odd", "startTime": "odd", "pipelineSpec": {"tasks": "odd", "finally": 7}},
        {"conditions": [None, "odd", {"type": "Ready", "status": "True"}], "completionTime": 7},
        {"conditions": [{"type": "Succeeded", "status": None, "reason": 7, "message": None}]},
        {"pipelineSpec": {"tasks": [None, {}, {"name": None}]}},
    ],
)
def test_reads_an_odd_run_status_as_none_yet(status: object) -> None:
    run = parse_run(raw_run("mine", status=status))
    assert run is not None
    assert replace(run, children=ANY_CHILDREN) == run_of()


@pytest.mark.parametrize("annotations", [None, {}, {names.KEY_EXECUTION_UID: ""}])
def test_a_run_need_not_tell_whose_it_is(annotations: object) -> None:
    raw = raw_run("mine")
    raw["metadata"]["annotations"] = annotations
    assert parse_run(raw) == run_of(target=None, workflow_id=None, owner=None)


REQUEST = {
    names.KEY_REQUEST: "disk-full",
    names.KEY_REQUEST_NAMESPACE: "requests",
    names.KEY_REQUEST_UID: "uid-1",
}


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({}, None),
        (REQUEST, Request("requests", "disk-full", "uid-1")),
        ({names.KEY_REQUEST: "disk-full"}, Request(NAMESPACE, "disk-full")),
        ({**REQUEST, names.KEY_REQUEST: ""}, None),
        ({**REQUEST, names.KEY_REQUEST: 7}, None),
        ({**REQUEST, names.KEY_REQUEST_UID: None}, Request("requests", "disk-full")),
    ],
)
def test_a_run_names_the_request_of_its_execution(
    annotations: dict[str, object], expected: Request | None
) -> None:
    raw = raw_run("mine")
    raw["metadata"]["annotations"] |= annotations
    run = parse_run(raw)
    assert run is not None
    assert run.owner is not None
    assert run.owner.request == expected


def without_annotations(**labels: str | None) -> Run:
    """A run of which somebody has taken the annotations off; ``None`` takes a label off, too."""
    raw = raw_run("mine", spec={"params": [{"name": "TARGET_RESOURCE", "value": TARGET}]})
    annotations = raw["metadata"]["annotations"]
    told = {key: names.label_value(text) for key, text in annotations.items()}
    renamed = {f"kubernaut.ai/{key.replace('_', '-')}": text for key, text in labels.items()}
    raw["metadata"].update(
        annotations={}, labels={key: text for key, text in {**told, **renamed}.items() if text}
    )
    run = parse_run(raw)
    assert run is not None
    return run


def test_a_run_without_its_annotations_is_known_by_its_labels() -> None:
    assert without_annotations() == run_of()


def test_its_request_is_known_by_its_label_too() -> None:
    run = without_annotations(remediation_request="disk-full")
    assert run.owner is not None
    assert run.owner.request == Request(NAMESPACE, "disk-full")


@pytest.mark.parametrize(
    "labels",
    [
        {"workflow_execution": names.label_value("long-" * 20)},
        {"source_namespace": names.label_value("a b")},
        {"workflow_id": names.label_value("Restart it!")},
        {"workflow_execution": None},
        {"workflow_execution_uid": None},
    ],
)
def test_a_label_that_does_not_show_all_makes_a_run_nobodys(labels: dict[str, str | None]) -> None:
    run = without_annotations(**labels)
    assert (run.owner, run.workflow_id, run.target) == (None, None, TARGET)


def test_parameters_that_the_pipeline_does_not_declare_are_named_once_it_is_resolved() -> None:
    given = [{"name": name} for name in ("ZONE", "REPLICA", "SIZE", "TARGET_RESOURCE")]
    raw = raw_run("mine", spec={"params": [*given, {"value": "nameless"}, None]})
    assert parse_run(raw) == run_of()
    array = {"name": "SIZE", "type": "array", "default": []}
    target = {"name": "TARGET_RESOURCE"}
    for declared, unknown in (
        ([array, target, {"name": "REPLICAS"}], (("REPLICA", "ZONE"), ("REPLICAS", "SIZE"))),
        (None, (("REPLICA", "SIZE", "ZONE"), ())),
        ([{"name": "SIZE"}, {"name": "REPLICA"}, {"name": "ZONE"}], None),
    ):
        raw["status"] = {"pipelineSpec": {"params": declared, "tasks": []}}
        run = parse_run(raw)
        assert run is not None
        assert run.undeclared == unknown


@pytest.mark.parametrize(
    ("name", "annotations", "labels", "params", "target", "key"),
    [
        ("by-hand", {names.KEY_TARGET: TARGET}, {}, [], TARGET, names.target_key(TARGET)),
        (
            "by-hand",
            {},
            {},
            [{"name": "TARGET_RESOURCE", "value": TARGET}],
            TARGET,
            names.target_key(TARGET),
        ),
        (
            "by-hand",
            {},
            {names.KEY_TARGET_HASH: names.target_hash(TARGET)},
            [],
            None,
            names.target_key(TARGET),
        ),
        ("by-hand", {}, {names.KEY_TARGET_HASH: "odd"}, [], None, None),
        ("nightly-build-7", {}, {}, [], None, None),
    ],
)
def test_a_run_that_somebody_made_is_on_the_target_it_names_in_any_way(
    name: str,
    annotations: dict[str, str],
    labels: dict[str, str],
    params: list[dict[str, str]],
    target: str | None,
    key: str | None,
) -> None:
    raw = raw_run("mine", spec={"params": params}, name=name)
    raw["metadata"].update(annotations=annotations, labels=labels)
    run = parse_run(raw)
    assert (run and (run.target, run.target_key, run.owner)) == (key and (target, key, None))


def test_a_rerun_under_our_annotations_is_nobodys() -> None:
    run = parse_run(raw_run("mine", name=f"{RUN_NAME}-r-abc12"))
    assert run is not None
    assert (run.owner, run.run_number, run.target) == (None, 0, TARGET)


def test_a_run_with_the_name_for_another_target_is_nobodys() -> None:
    run = parse_run(raw_run("mine", target="Node/worker-1"))
    assert run is not None
    assert (run.owner, run.target_key) == (None, names.target_key("Node/worker-1"))


@pytest.mark.parametrize(
    ("said", "asked", "is_cancelled"),
    [
        ("Cancelled", Asked.CANCEL, True),
        ("CancelledRunFinally", Asked.CANCEL_FIRST, True),
        ("StoppedRunFinally", Asked.STOP, False),
        ("PipelineRunPending", Asked.WAIT, False),
        ("", Asked.NOTHING, False),
        ("SomethingNew", Asked.NOTHING, False),
    ],
)
def test_what_tekton_is_asked_to_do_with_a_run(said: str, asked: Asked, is_cancelled: bool) -> None:
    run = parse_run(raw_run("mine", spec={"status": said}))
    assert run == run_of(asked=asked)
    assert run.is_cancelled is is_cancelled


@pytest.mark.parametrize(
    ("spec", "known", "is_queued"),
    [
        ({"status": "PipelineRunPending"}, {}, True),
        ({"status": "PipelineRunPending"}, {"started_at": NOW}, False),
        ({"managedBy": "kueue.x-k8s.io/multikueue"}, {}, True),
        ({"managedBy": "kueue.x-k8s.io/multikueue"}, {"started_at": NOW}, False),
        ({"managedBy": "kueue.x-k8s.io/multikueue", "status": "Cancelled"}, {}, False),
        ({"managedBy": "tekton.dev/pipeline"}, {}, False),
        ({}, {}, False),
    ],
)
def test_a_run_is_queued_while_something_else_decides_when_it_begins(
    spec: dict[str, Any], known: dict[str, Any], is_queued: bool
) -> None:
    run = make_run("mine", spec=spec, reason="PipelineRunPending", **known)
    assert run.is_queued is is_queued
    assert run.was_queued is (not is_queued and not known)


@pytest.mark.parametrize(
    ("limits", "has_finally", "minutes"),
    [
        ({"pipeline": "40m", "tasks": "30m", "finally": "10m"}, False, 30),
        ({"pipeline": "40m", "tasks": "30m", "finally": "10m"}, True, 40),
        ({"pipeline": "30m"}, False, 30),
        ({"pipeline": "30m"}, True, 30),
        ({"pipeline": "0s", "tasks": "0s"}, False, None),
        ({"pipeline": "soon"}, True, None),
    ],
)
def test_when_a_run_has_to_end(
    limits: dict[str, str], has_finally: bool, minutes: int | None
) -> None:
    status = run_status(tasks=["change"], final_tasks=["undo"] if has_finally else [])
    run = parse_run(raw_run("mine", spec={"timeouts": limits}, status=status))
    assert run is not None
    assert run.timeout == (timedelta(minutes=minutes) if minutes else None)
    assert run.has_finally is has_finally


@pytest.mark.parametrize(
    ("succeeded", "known", "state"),
    [
        ("Unknown", {}, RunState.ACTIVE),
        ("Odd", {}, RunState.ACTIVE),
        ("Unknown", {"asked": Asked.CANCEL}, RunState.ACTIVE),
        ("True", {"children": PLAIN}, RunState.FINISHED),
        ("True", {"children": replace(PLAIN, may_outlast=True)}, RunState.STOPPING),
        ("True", {}, RunState.STOPPING),
        ("True", {"has_stopped": True}, RunState.FINISHED),
        ("False", {}, RunState.STOPPING),
        ("False", {"has_stopped": True}, RunState.FINISHED),
        ("Unknown", {"is_deleting": True}, RunState.STOPPING),
        ("Unknown", {"is_gone": True}, RunState.STOPPING),
        ("Unknown", {"is_gone": True, "has_stopped": True}, RunState.FINISHED),
    ],
)
def test_how_far_a_run_is(succeeded: str, known: dict[str, Any], state: RunState) -> None:
    run = run_of(succeeded=succeeded, **known)
    assert run.state is state
    assert run.is_lost is (state is RunState.FINISHED and succeeded == "Unknown")


def raw_child(name: str = "", **meta: Any) -> dict[str, Any]:
    """A run that is a task of another, as Tekton makes it: it takes over what its parent says."""
    raw = raw_run("mine", name=name or f"{RUN_NAME}-inner")
    owner = {"kind": "PipelineRun", "name": RUN_NAME, "controller": True}
    raw["metadata"]["labels"]["tekton.dev/pipelineRun"] = RUN_NAME
    raw["metadata"] |= {"ownerReferences": [owner], **meta}
    return raw


def test_a_run_that_is_a_task_of_another_holds_nothing_itself() -> None:
    assert parse_run(raw_child()) is None
    by_hash = raw_child(annotations={})
    by_hash["metadata"]["labels"][names.KEY_TARGET_HASH] = names.target_hash(TARGET)
    assert parse_run(by_hash) is None


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(raw_child(ownerReferences=[]), id="a-rerun"),
        pytest.param(
            raw_child(ownerReferences=[{"kind": "PipelineRun", "name": RUN_NAME}]),
            id="not-controlled",
        ),
        pytest.param(
            raw_child(ownerReferences=[{"kind": "Job", "name": RUN_NAME, "controller": True}]),
            id="of-another-kind",
        ),
        pytest.param(
            raw_child(ownerReferences=[{"kind": "PipelineRun", "name": "x", "controller": True}]),
            id="of-another-run",
        ),
        # Whoever may patch runs must not be able to take a lock away with it.
        pytest.param(raw_child(RUN_NAME), id="with-a-run-number"),
    ],
)
def test_what_is_not_surely_a_task_holds_its_target(raw: dict[str, Any]) -> None:
    run = parse_run(raw)
    assert run is not None
    assert run.target_key == names.target_key(TARGET)


def test_a_run_of_another_that_names_a_target_of_its_own_holds_that() -> None:
    raw = raw_child(annotations={})
    raw["spec"] = {"params": [{"name": "TARGET_RESOURCE", "value": "Node/b"}]}
    run = parse_run(raw)
    assert run is not None
    assert run.target == "Node/b"
