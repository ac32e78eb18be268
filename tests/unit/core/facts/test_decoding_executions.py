"""Executions as decisions see them, and as odd as they may legally be."""

from datetime import UTC, datetime
from typing import Any

import pytest

from builders import (
    NAMESPACE,
    NOW,
    TARGET,
    raw_execution,
    raw_spec,
)
from workflowexecution.api import identity
from workflowexecution.api.status import Phase
from workflowexecution.core import names
from workflowexecution.core.facts.decoding import kept, parse_execution
from workflowexecution.core.facts.execution import Execution, Request

RUN_NAME = names.run_name(TARGET, 1)
NEW_STATUS: dict[str, Any] = {
    "phase": None,
    "run_name": None,
    "run_namespace": None,
    "started_at": None,
    "completed_at": None,
}


def execution_of(raw: dict[str, Any], **differs: Any) -> Execution:
    target = differs.get("target", TARGET)
    seen: dict[str, Any] = {
        "uid": "uid-of-mine",
        "namespace": NAMESPACE,
        "name": "mine",
        "resource_version": "1",
        "target": target,
        "target_key": names.target_key(target),
        "former_key": names.former_target_key(target),
        "workflow_id": "restart",
        "is_deleting": False,
        "has_old_finalizer": False,
        "created_at": datetime.fromisoformat(raw["metadata"]["creationTimestamp"]),
        "generation": 1,
        "pinned_digest": "",
        "raw": raw,
        "request": Request(NAMESPACE, "request-1"),
        **NEW_STATUS,
    }
    return Execution(**{**seen, **differs})


def test_reads_a_running_execution() -> None:
    status = {
        "phase": "Running",
        "startTime": "2026-01-02T11:00:00Z",
        "pipelineRunRef": {"name": RUN_NAME},
    }
    raw = raw_execution(status=status)
    assert parse_execution(raw) == execution_of(
        raw,
        phase=Phase.RUNNING,
        run_name=RUN_NAME,
        started_at=datetime(2026, 1, 2, 11, tzinfo=UTC),
    )


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.FAILED, Phase.SKIPPED])
def test_one_that_has_ended_needs_no_work_unless_it_has_an_old_finalizer(phase: Phase) -> None:
    status = {"phase": phase, "completionTime": "2026-01-02T12:00:00Z"}
    ended = parse_execution(raw_execution(status=status, deleted_at=NOW))
    assert (ended.needs_work, ended.completed_at, ended.is_deleting) == (False, NOW, True)
    old = parse_execution(raw_execution(status=status, finalizers=[identity.OLD_FINALIZER]))
    assert old.needs_work


def test_the_namespace_of_its_run_is_read() -> None:
    status = {"phase": "Running", "pipelineRunRef": {"name": RUN_NAME, "namespace": "runs"}}
    assert parse_execution(raw_execution(status=status)).run_namespace == "runs"


@pytest.mark.parametrize(
    "status",
    [
        None,
        {},
        "odd",
        [],
        {"phase": None, "startTime": None, "completionTime": None, "pipelineRunRef": None},
        {"phase": "Dreaming", "startTime": "long ago", "pipelineRunRef": "odd"},
        {"phase": 7, "startTime": 7, "completionTime": {}, "pipelineRunRef": {"name": 7}},
        {"phase": ["Running"], "startTime": "2026-02-31T00:00:00Z", "pipelineRunRef": {}},
        {"startTime": "0001-01-01T00:00:00+14:00", "completionTime": "0000-01-01T00:00:00Z"},
    ],
)
def test_reads_an_odd_status_as_none_yet(status: object) -> None:
    raw = raw_execution(status=status)
    assert parse_execution(raw) == execution_of(raw)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({}, id="empty"),
        pytest.param("odd", id="no-mapping"),
        pytest.param({"targetResource": 7, "workflowRef": {"workflowId": None}}, id="wrong-types"),
        pytest.param({"targetResource": None, "workflowRef": "odd"}, id="nulls"),
    ],
)
def test_reads_an_odd_spec_as_empty(spec: object) -> None:
    raw = raw_execution(spec=spec)
    assert parse_execution(raw) == execution_of(raw, target="", workflow_id="", request=None)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ({"name": "r"}, Request(NAMESPACE, "r")),
        ({"name": "r", "namespace": "", "uid": None}, Request(NAMESPACE, "r")),
        ({"name": "r", "namespace": "other", "uid": "u"}, Request("other", "r", "u")),
        ({"name": "", "namespace": "other"}, None),
        ({"name": 7}, None),
        ("odd", None),
        (None, None),
    ],
)
def test_reads_the_request_that_it_belongs_to(reference: object, expected: Request | None) -> None:
    seen = parse_execution(raw_execution(spec=raw_spec(remediationRequestRef=reference)))
    assert seen.request == expected
    assert kept(seen).request == expected


def test_only_the_finalizer_of_earlier_controllers_is_told_of() -> None:
    raw = raw_execution(finalizers=["somebody.else/guard"])
    assert parse_execution(raw) == execution_of(raw)
    raw["metadata"]["finalizers"] = None
    assert parse_execution(raw) == execution_of(raw)
    raw["metadata"]["finalizers"] = ["somebody.else/guard", identity.OLD_FINALIZER]
    assert parse_execution(raw) == execution_of(raw, has_old_finalizer=True)


def test_the_spec_of_an_execution_is_read_from_the_object() -> None:
    raw = raw_execution(spec=raw_spec("Node/worker-1", "drain"))
    assert parse_execution(raw) == execution_of(raw, target="Node/worker-1", workflow_id="drain")
