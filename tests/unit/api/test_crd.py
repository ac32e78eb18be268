"""The CRD is structural, and says what the contract and the models say."""

from collections.abc import Iterator
from typing import Any

import pytest

from workflowexecution.api.crd import build_crd
from workflowexecution.api.status import FailureReason, Phase, SkipReason

CRD = build_crd()
VERSION = CRD["spec"]["versions"][0]
ROOT = VERSION["schema"]["openAPIV3Schema"]


def schemas(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema in the tree, with its path."""
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from schemas(child, f"{path}.{name}" if path else name)
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield from schemas(node[key], f"{path}[]")


ALL = dict(schemas(ROOT))


def test_identity() -> None:
    names = CRD["spec"]["names"]
    assert CRD["metadata"]["name"] == "workflowexecutions.workflowexecution.kubernaut.ai"
    assert (CRD["spec"]["group"], CRD["spec"]["scope"], VERSION["name"]) == (
        "workflowexecution.kubernaut.ai",
        "Namespaced",
        "v1alpha1",
    )
    assert names == {
        "kind": "WorkflowExecution",
        "listKind": "WorkflowExecutionList",
        "plural": "workflowexecutions",
        "singular": "workflowexecution",
        "shortNames": ["wfe"],
        "categories": ["kubernaut"],
    }
    assert VERSION["subresources"] == {"status": {}}


def test_printer_columns() -> None:
    shown = VERSION["additionalPrinterColumns"]
    columns = {item["name"]: item.get("priority", 0) for item in shown}
    assert columns == {
        "Phase": 0,
        "Reason": 0,
        "WorkflowID": 0,
        "Target": 0,
        "Duration": 0,
        "PipelineRun": 1,
        "Blocker": 1,
        "Age": 0,
    }


def test_every_schema_is_structural() -> None:
    allowed = {
        "type",
        "description",
        "properties",
        "required",
        "items",
        "additionalProperties",
        "enum",
        "default",
        "format",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "maxProperties",
    }
    for path, schema in ALL.items():
        others = {key for key in schema if not key.startswith("x-kubernetes-")}
        assert others <= allowed, path
        assert schema["type"] in {"object", "array", "string", "number", "integer", "boolean"}, path
        assert set(schema.get("required", ())) <= set(schema.get("properties", ())), path
        assert schema.get("default", "") is not None, path
        assert ("items" in schema) is (schema["type"] == "array"), path


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("status.phase", list(Phase)),
        ("status.skipDetails.reason", list(SkipReason)),
        ("status.failureDetails.reason", list(FailureReason)),
        ("status.conditions[].status", ["True", "False", "Unknown"]),
    ],
)
def test_enums_are_those_of_the_models(path: str, expected: list[str]) -> None:
    assert ALL[path]["enum"] == [str(value) for value in expected]


def test_reasons_are_those_of_the_contract() -> None:
    assert [str(phase) for phase in Phase] == [
        "Pending",
        "Running",
        "Completed",
        "Failed",
        "Skipped",
    ]
    assert {str(reason) for reason in SkipReason} == {
        "ResourceBusy",
        "RecentlyRemediated",
        "ExhaustedRetries",
        "PreviousExecutionFailed",
    }
    assert {str(reason) for reason in FailureReason} == {
        "OOMKilled",
        "DeadlineExceeded",
        "Forbidden",
        "ResourceExhausted",
        "ConfigurationError",
        "ImagePullBackOff",
        "TaskFailed",
        "Unknown",
    }


def test_required_fields_are_those_of_the_contract() -> None:
    """An orchestrator may leave out what is not listed here, and must give what is."""
    required = {
        path: set(schema["required"]) for path, schema in ALL.items() if "required" in schema
    }
    assert required == {
        "": {"spec"},
        "spec": {"remediationRequestRef", "workflowRef", "targetResource"},
        "spec.remediationRequestRef": {"name"},
        "spec.workflowRef": {"workflowId", "version", "containerImage"},
        "status.pipelineRunRef": {"name"},
        "status.pipelineRunStatus": {"status"},
        "status.conditions[]": {"type", "status", "reason", "message", "lastTransitionTime"},
        "status.skipDetails": {"reason", "message", "skippedAt"},
        "status.skipDetails.conflictingWorkflow": {
            "name",
            "workflowId",
            "startedAt",
            "targetResource",
        },
        "status.skipDetails.recentRemediation": {
            "name",
            "workflowId",
            "completedAt",
            "outcome",
            "targetResource",
        },
        "status.skipDetails.conflictingWorkflow.remediationRequestRef": {"name"},
        "status.skipDetails.recentRemediation.remediationRequestRef": {"name"},
        "status.failureDetails": {
            "failedTaskIndex",
            "failedTaskName",
            "reason",
            "message",
            "failedAt",
            "executionTimeBeforeFailure",
            "naturalLanguageSummary",
        },
    }


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("spec.executionConfig", {}),
        ("spec.executionConfig.timeout", "30m"),
        ("spec.executionConfig.serviceAccountName", "kubernaut-workflow-runner"),
    ],
)
def test_defaults(path: str, expected: object) -> None:
    assert ALL[path]["default"] == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("status.startTime", ("string", "date-time")),
        ("status.completionTime", ("string", "date-time")),
        ("status.nextAllowedExecution", ("string", "date-time")),
        ("status.duration", ("string", None)),
        ("status.consecutiveFailures", ("integer", "int32")),
        ("status.failureDetails.exitCode", ("integer", "int32")),
        ("status.failureDetails.failedTaskIndex", ("integer", "int32")),
        ("status.failureDetails.executionTimeBeforeFailure", ("string", None)),
        ("status.failureDetails.wasExecutionFailure", ("boolean", None)),
        ("status.observedGeneration", ("integer", "int64")),
        ("spec.confidence", ("number", None)),
    ],
)
def test_types_and_formats(path: str, expected: tuple[str, str | None]) -> None:
    assert (ALL[path]["type"], ALL[path].get("format")) == expected


def test_fields_that_are_gone_stay_gone() -> None:
    gone = {
        "steps",
        "approvalRequired",
        "dryRunFirst",
        "rollbackStrategy",
        "maxRetries",
        "safetyChecks",
    }
    assert not {path.rsplit(".", 1)[-1] for path in ALL} & gone


def test_rules_name_what_is_wrong() -> None:
    rules = {
        path: [rule["message"] for rule in schema["x-kubernetes-validations"]]
        for path, schema in ALL.items()
        if "x-kubernetes-validations" in schema
    }
    assert set(rules) == {
        "",
        "spec",
        "spec.workflowRef",
        "spec.workflowRef.containerImage",
        "spec.workflowRef.containerDigest",
        "spec.targetResource",
        "spec.parameters",
        "spec.parameters[]",
        "spec.executionConfig.timeout",
        "spec.executionConfig.serviceAccountName",
    }
    assert rules["spec"] == ["spec is immutable; create a new WorkflowExecution"]
    assert rules[""] == [
        "a Completed, Failed or Skipped execution never changes its phase",
        "a Running execution does not go back",
    ]
    assert all("pattern" not in ALL[path] for path in rules)
