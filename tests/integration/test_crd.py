"""The rules that the API server keeps for us, whoever writes."""

from collections.abc import Iterator
from typing import Any

import pytest

from harness.executions import execution, name_of, unique
from harness.kubectl import row_of
from harness.objects import Objects, create_namespace, delete_namespace
from localcluster import Cluster
from localcluster.cluster import ApiError, Object

TERMINAL = ("Completed", "Failed", "Skipped")
# What the API server says of an execution before an operator does.
UNSEEN = {"observedGeneration": -1}


@pytest.fixture
def executions(bare_cluster: Cluster) -> Objects:
    return Objects(bare_cluster, "workflowexecutions")


@pytest.fixture
def item(executions: Objects, namespace: str, target: str) -> Object:
    """An execution that nobody serves."""
    return executions.create(execution(target, namespace=namespace))


@pytest.fixture
def namespace(bare_cluster: Cluster) -> Iterator[str]:
    name = unique("rules")
    create_namespace(bare_cluster, name)
    yield name
    delete_namespace(bare_cluster, name)


def refused(executions: Objects, item: Object, patch: Object, subresource: str = "") -> str:
    """Try a change that must be refused; returns the answer."""
    with pytest.raises(ApiError) as error:
        executions.patch(item, patch, subresource)
    assert error.value.code == 422
    return str(error.value)


def with_phase(executions: Objects, item: Object, phase: str | None, **fields: Any) -> Object:
    return executions.patch(item, {"status": {"phase": phase, **fields}}, "status")


@pytest.mark.parametrize(
    "change",
    [
        {"targetResource": "payment/Deployment/another"},
        {"parameters": {"NEW": "1"}},
        {"workflowRef": {"version": "v2"}},
        {"executionConfig": {"timeout": "1h"}},
        {"confidence": 0.5},
        {"rationale": "because"},
        {"remediationRequestRef": {"name": "another"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_spec_never_changes(executions: Objects, item: Object, change: Object) -> None:
    assert "spec is immutable" in refused(executions, item, {"spec": change})


@pytest.mark.parametrize(
    "respelled",
    [
        {"executionConfig": {"timeout": "30m0s"}},
        {"executionConfig": {"timeout": "0.5h"}},
        {"parameters": {}},
        {"rationale": ""},
        {"confidence": 0},
        {"remediationRequestRef": {"namespace": "", "uid": ""}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_spec_may_be_written_back_in_another_spelling(
    executions: Objects, item: Object, respelled: Object
) -> None:
    """As clients do that have types of their own: Go writes 30m as 30m0s."""
    changed = executions.patch(item, {"spec": respelled, "metadata": {"labels": {"a": "b"}}})
    assert changed["metadata"]["labels"] == {"a": "b"}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"rationale": "x" * 65_537}, "spec.rationale: Too long"),
        ({"parameters": {"A": "x" * 32_769}}, "spec.parameters.A: Too long"),
        ({"parameters": {f"A{n}": "x" * 32_000 for n in range(9)}}, "all values together"),
        ({"parameters": {f"A{n}": "é" * 16_000 for n in range(9)}}, "all values together"),
        (
            {"workflowRef": {"workflowId": "w", "version": "v" * 254, "containerImage": "a/b:v1"}},
            "spec.workflowRef.version: Too long",
        ),
        (
            {"workflowRef": {"workflowId": "w", "version": "v1", "containerImage": "a:5000/b"}},
            "names no tag and no digest",
        ),
    ],
    ids=["rationale", "value", "values", "wide-values", "version", "no-tag"],
)
def test_what_is_too_long_or_not_pinned_is_refused(
    executions: Objects, namespace: str, target: str, spec: Object, said: str
) -> None:
    with pytest.raises(ApiError) as error:
        executions.create(execution(target, namespace=namespace, **spec))
    assert error.value.code == 422
    assert said in str(error.value)


@pytest.mark.parametrize("text", ["x" * 32_768, "\U0001f4a5" * 8192], ids=["plain", "wide"])
def test_the_longest_values_are_taken(
    executions: Objects, namespace: str, target: str, text: str
) -> None:
    parameters = dict.fromkeys((f"A{number}" for number in range(8)), text)
    spec: dict[str, Any] = {"rationale": "x" * 65_536, "parameters": parameters}
    created = executions.create(execution(target, namespace=namespace, **spec))
    assert executions.patch(created, {"metadata": {"labels": {"a": "b"}}})


@pytest.mark.parametrize("phase", TERMINAL)
@pytest.mark.parametrize("after", ["Pending", "Running", *TERMINAL, None])
def test_a_terminal_phase_never_changes(
    executions: Objects, item: Object, phase: str, after: str | None
) -> None:
    item = with_phase(executions, item, phase)
    if after == phase:
        executions.patch(item, {"status": {"phase": phase, "duration": "1s"}}, "status")
        return
    said = refused(executions, item, {"status": {"phase": after}}, "status")
    assert "never changes its phase" in said


def test_a_terminal_phase_does_not_go_with_its_whole_status(
    executions: Objects, item: Object
) -> None:
    item = with_phase(executions, item, "Completed")
    assert "never changes" in refused(executions, item, {"status": None}, "status")


@pytest.mark.parametrize("after", ["Pending", None])
def test_running_does_not_go_back(executions: Objects, item: Object, after: str | None) -> None:
    item = with_phase(executions, item, "Running")
    assert "does not go back" in refused(executions, item, {"status": {"phase": after}}, "status")


@pytest.mark.parametrize("phase", ["Pending", "Running", *TERMINAL])
@pytest.mark.parametrize("before", [None, "Pending", "Running"])
def test_every_step_forward_is_allowed(
    executions: Objects, item: Object, before: str | None, phase: str
) -> None:
    if (before, phase) == ("Running", "Pending"):
        return
    if before:
        item = with_phase(executions, item, before)
    assert with_phase(executions, item, phase)["status"]["phase"] == phase


def test_a_phase_of_another_name_is_refused(executions: Objects, item: Object) -> None:
    said = refused(executions, item, {"status": {"phase": "Paused"}}, "status")
    assert 'Unsupported value: \\"Paused\\"' in said


def test_the_status_is_a_subresource_of_its_own(executions: Objects, item: Object) -> None:
    changed = executions.patch(item, {"status": {"phase": "Failed"}})
    assert changed["status"] == UNSEEN
    changed = executions.patch(item, {"metadata": {"labels": {"a": "b"}}}, "status")
    assert changed["metadata"].get("labels") is None
    created = executions.create(
        {
            **execution("a/b/c", namespace=item["metadata"]["namespace"]),
            "status": {"phase": "Failed"},
        }
    )
    assert created["status"] == UNSEEN


def test_labels_of_a_finished_execution_can_be_changed(executions: Objects, item: Object) -> None:
    item = with_phase(executions, item, "Completed")
    changed = executions.patch(item, {"metadata": {"labels": {"a": "b"}}})
    assert changed["metadata"]["labels"] == {"a": "b"}


def test_defaults_are_filled_in(executions: Objects, item: Object) -> None:
    assert item["spec"]["executionConfig"] == {
        "timeout": "30m",
        "serviceAccountName": "kubernaut-workflow-runner",
    }
    half = execution("a/b/c", namespace=item["metadata"]["namespace"])
    half["spec"]["executionConfig"] = {"timeout": "1h"}
    assert executions.create(half)["spec"]["executionConfig"] == {
        "timeout": "1h",
        "serviceAccountName": "kubernaut-workflow-runner",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("spec.targetResource", "{target}"),
        ("spec.workflowRef.workflowId", "{name}"),
        ("spec.remediationRequestRef.name", "{name}"),
        ("status.phase", "Running"),
    ],
)
def test_executions_are_selected_by_field(
    executions: Objects, namespace: str, target: str, field: str, value: str
) -> None:
    name = unique("id")
    executions.create(execution("other/Pod/one", namespace=namespace))
    wanted = executions.create(
        execution(target, namespace=namespace, workflow=name, remediationRequestRef={"name": name})
    )
    with_phase(executions, wanted, "Running")
    selector = f"{field}={value.format(target=target, name=name)}"

    found = executions.list(namespace, fieldSelector=selector)
    assert [name_of(one) for one in found] == [name_of(wanted)]


@pytest.mark.parametrize("kind", ["conflictingWorkflow", "recentRemediation"])
def test_columns_tell_what_people_ask_first(
    bare_cluster: Cluster, executions: Objects, item: Object, kind: str
) -> None:
    namespace = item["metadata"]["namespace"]
    at = "2026-01-02T03:04:05Z"
    because = {"name": "the-blocker", "workflowId": "w", "targetResource": "t"}
    times = {"startedAt": at, "completedAt": at, "outcome": "Completed"}
    allowed = {
        "conflictingWorkflow": ["startedAt"],
        "recentRemediation": ["completedAt", "outcome"],
    }
    details = {**because, **{key: times[key] for key in allowed[kind]}}
    condition = {
        "type": "Succeeded",
        "status": "False",
        "reason": "ResourceBusy",
        "message": "",
        "lastTransitionTime": at,
    }
    skip = {"reason": "ResourceBusy", "message": "m", "skippedAt": at, kind: details}
    with_phase(
        executions, item, "Skipped", skipDetails=skip, conditions=[condition], duration="1m5s"
    )

    wide = row_of(bare_cluster, namespace, "kubernaut", "-o", "wide")
    assert wide.pop("BLOCKER") == "the-blocker"
    assert wide.pop("PIPELINERUN") == ""
    narrow = row_of(bare_cluster, namespace, "wfe")
    assert wide.pop("AGE")
    assert narrow.pop("AGE")
    assert (
        wide
        == narrow
        == {
            "NAME": name_of(item),
            "PHASE": "Skipped",
            "REASON": "ResourceBusy",
            "WORKFLOWID": "restart",
            "TARGET": item["spec"]["targetResource"],
            "DURATION": "1m5s",
        }
    )


def test_the_kind_has_its_short_name_and_category(bare_cluster: Cluster) -> None:
    found = bare_cluster.request("GET", "/apis/workflowexecution.kubernaut.ai/v1alpha1")
    kinds = {one["name"]: one for one in found["resources"]}
    assert kinds.keys() == {
        "workflowexecutions",
        "workflowexecutions/status",
        "workflowholds",
        "workflowclaims",
    }
    # With two kinds in it, `kubectl get kubernaut` would name executions otherwise than before.
    assert "categories" not in kinds["workflowholds"]
    kind = kinds["workflowexecutions"]
    assert kind["shortNames"] == ["wfe"]
    assert kind["categories"] == ["kubernaut"]
    assert kind["singularName"] == "workflowexecution"
    assert kind["namespaced"] is True
