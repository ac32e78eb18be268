"""A problem of a spec is reported with the field, its value and the fix."""

from typing import Any

import pytest

from builders import DIGEST, IMAGE, raw_spec
from workflowexecution.api.spec import WorkflowExecutionSpec, parse_spec


def with_ref(**fields: object) -> dict[str, Any]:
    spec = raw_spec()
    return {**spec, "workflowRef": {**spec["workflowRef"], **fields}}


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(raw_spec(), id="least"),
        pytest.param(raw_spec("Node/worker-1"), id="cluster-scoped"),
        pytest.param(raw_spec(parameters={"REPLICAS": "3", "A": ""}), id="parameters"),
        pytest.param(raw_spec(confidence=1, rationale="because"), id="carried-fields"),
        pytest.param(
            raw_spec(executionConfig={"timeout": "24h", "serviceAccountName": "runner"}),
            id="execution-config",
        ),
        pytest.param(with_ref(containerImage=f"{IMAGE}@{DIGEST}"), id="tag-and-digest"),
        pytest.param(with_ref(containerImage=f"localhost:5000/a/b@{DIGEST}"), id="digest-only"),
        pytest.param(with_ref(containerDigest=DIGEST), id="digest-beside"),
        pytest.param(raw_spec(steps=[], dryRunFirst=True), id="fields-that-are-gone-are-ignored"),
    ],
)
def test_reads_a_spec_that_can_be_run(spec: dict[str, Any]) -> None:
    parsed, problem = parse_spec({"spec": spec})
    assert problem == ""
    assert isinstance(parsed, WorkflowExecutionSpec)
    assert parsed.target_resource == spec["targetResource"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        pytest.param(
            raw_spec("Deployment"),
            ["spec.targetResource", "'Deployment'", "write namespace/kind/name"],
            id="target-form",
        ),
        pytest.param(raw_spec(7), ["spec.targetResource", "7", "string"], id="target-type"),
        pytest.param(
            raw_spec(parameters={"replicas": "3"}),
            ["spec.parameters", "'replicas'", "rename it, e.g. REPLICA_COUNT"],
            id="parameter-name",
        ),
        pytest.param(
            raw_spec(parameters={"TARGET_RESOURCE": "x"}),
            ["spec.parameters", "TARGET_RESOURCE", "remove it"],
            id="reserved-parameter",
        ),
        pytest.param(
            raw_spec(parameters={"A": 1}), ["spec.parameters.A", "1", "string"], id="parameter-type"
        ),
        pytest.param(
            raw_spec(executionConfig={"timeout": "soon"}),
            ["spec.executionConfig.timeout", "'soon'", "write it like 30m"],
            id="timeout-form",
        ),
        pytest.param(
            raw_spec(executionConfig={"timeout": "0s"}),
            ["spec.executionConfig.timeout", "'0s'", "write it like 30m"],
            id="timeout-zero",
        ),
        pytest.param(
            raw_spec(executionConfig={"timeout": "24h0m1s"}),
            ["spec.executionConfig.timeout", "'24h0m1s'", "at most 24h"],
            id="timeout-too-long",
        ),
        pytest.param(
            raw_spec("payment/Deployment/web-$(params.SECONDS)"),
            ["spec.targetResource", "'payment/Deployment/web-$(params.SECONDS)'", "name"],
            id="target-that-is-expanded",
        ),
        pytest.param(
            raw_spec(parameters={"MESSAGE": "see $(hostname)"}),
            ["spec.parameters", "MESSAGE", "Tekton or the kubelet would change it"],
            id="value-that-is-expanded",
        ),
        pytest.param(
            raw_spec(executionConfig={"serviceAccountName": "Not Valid"}),
            ["spec.executionConfig.serviceAccountName", "'Not Valid'", "pattern"],
            id="service-account",
        ),
        pytest.param(
            with_ref(containerImage="not an image"),
            ["spec.workflowRef.containerImage", "'not an image'", "pattern"],
            id="image",
        ),
        pytest.param(
            with_ref(containerDigest="sha256:short"),
            ["spec.workflowRef.containerDigest", "'sha256:short'", "pattern"],
            id="digest",
        ),
        pytest.param(
            with_ref(workflowId=""), ["spec.workflowRef.workflowId", "''", "at least 1"], id="empty"
        ),
        pytest.param(
            raw_spec(confidence=2), ["spec.confidence", "2", "less than or equal to 1"], id="range"
        ),
        pytest.param(
            {"targetResource": "a/b"},
            ["spec.remediationRequestRef", "required", "spec.workflowRef"],
            id="several-at-once",
        ),
        pytest.param([], ["spec.targetResource", "required"], id="empty-spec"),
        pytest.param("text", ["spec", "'text'"], id="spec-of-a-wrong-type"),
    ],
)
def test_names_field_value_and_fix(spec: object, said: list[str]) -> None:
    parsed, problem = parse_spec({"spec": spec})
    assert parsed is None
    assert [text for text in said if text not in problem] == []


def test_an_object_without_spec_is_told_what_it_lacks() -> None:
    assert parse_spec({}) == parse_spec({"spec": None}) == parse_spec({"spec": {}})
    assert parse_spec({})[1].count("required") == 3
