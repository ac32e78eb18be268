"""The PipelineRun as it is created, whole, and what keeps a well-formed spec from being run."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import (
    DIGEST,
    IMAGE,
    NAMESPACE,
    TARGET,
    make_execution,
    raw_execution,
    raw_spec,
)
from workflowexecution.api.pod import parse_run_pod
from workflowexecution.api.spec import WorkflowExecutionSpec
from workflowexecution.core import names
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.pipelinerun import (
    RunTemplate,
    build_run,
    pinned_image,
    problem_of,
    trace_of,
)

OTHER_DIGEST = "sha256:" + "b" * 64

CONTEXT = {"runAsNonRoot": True, "runAsUser": 65532}
TEMPLATE = RunTemplate(
    namespace="runs",
    allowed_service_accounts=frozenset(),
    security_context=CONTEXT,
    finally_timeout=timedelta(minutes=5),
)


def spec_of(image: str = IMAGE, digest: str | None = None, **fields: Any) -> WorkflowExecutionSpec:
    raw = raw_spec(**fields)
    raw["workflowRef"] |= {"containerImage": image, "containerDigest": digest}
    return WorkflowExecutionSpec.model_validate(raw)


def test_the_whole_run() -> None:
    spec = spec_of(
        digest=DIGEST,
        parameters={"REPLICAS": "3", "ACTION": "restart"},
        executionConfig={"timeout": "90m", "serviceAccountName": "runner"},
    )
    known = {
        "kubernaut.ai/workflow-execution": "mine",
        "kubernaut.ai/workflow-execution-uid": "uid-of-mine",
        "kubernaut.ai/source-namespace": NAMESPACE,
        "kubernaut.ai/workflow-id": "restart",
        "kubernaut.ai/target-resource": TARGET,
        "kubernaut.ai/remediation-request": "request-1",
    }
    assert build_run(make_execution(), spec, "wfe-x-1", TEMPLATE) == {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {
            "name": "wfe-x-1",
            "namespace": "runs",
            "labels": {
                **known,
                "kubernaut.ai/target-resource": names.label_value(TARGET),
                "kubernaut.ai/target-hash": "7c240c08fe7f0cc3",
                "app.kubernetes.io/managed-by": "workflowexecution-operator",
            },
            "annotations": {**known, "kubernaut.ai/remediation-request-namespace": NAMESPACE},
        },
        "spec": {
            "pipelineRef": {
                "resolver": "bundles",
                "params": [
                    {"name": "bundle", "value": f"{IMAGE}@{DIGEST}"},
                    {"name": "name", "value": "workflow"},
                    {"name": "kind", "value": "pipeline"},
                    {"name": "serviceAccount", "value": "runner"},
                ],
            },
            "params": [
                {"name": "ACTION", "value": "restart"},
                {"name": "REPLICAS", "value": "3"},
                {"name": "TARGET_RESOURCE", "value": TARGET},
            ],
            "timeouts": {"pipeline": "1h35m0s", "tasks": "1h30m0s", "finally": "5m0s"},
            "taskRunTemplate": {
                "serviceAccountName": "runner",
                "podTemplate": {
                    "securityContext": {"runAsNonRoot": True, "runAsUser": 65532},
                },
            },
        },
    }


def test_the_pods_of_a_run_have_what_the_operator_gives_them() -> None:
    pod = parse_run_pod(
        {
            "priorityClassName": "high",
            "tolerations": [{"operator": "Exists"}],
            "imagePullSecrets": [{"name": "first"}, {"name": "second"}],
            "annotations": {"karpenter.sh/do-not-disrupt": "true"},
            "securityContext": {"runAsUser": 1000},
        }
    )
    plain = build_run(make_execution(), spec_of(), "wfe-x-1", TEMPLATE)
    made = build_run(make_execution(), spec_of(), "wfe-x-1", replace(TEMPLATE, pod=pod))
    assert made["spec"]["taskRunTemplate"] == {
        "serviceAccountName": "kubernaut-workflow-runner",
        "podTemplate": {
            "priorityClassName": "high",
            "tolerations": [{"operator": "Exists"}],
            "imagePullSecrets": [{"name": "first"}, {"name": "second"}],
            "securityContext": {"runAsNonRoot": True, "runAsUser": 1000},
        },
    }
    assert made["metadata"]["annotations"] == {
        **plain["metadata"]["annotations"],
        "karpenter.sh/do-not-disrupt": "true",
    }
    # One secret is all that the resolver takes.
    given = made["spec"]["pipelineRef"]["params"]
    assert given == [
        *plain["spec"]["pipelineRef"]["params"],
        {"name": "secret", "value": "first"},
    ]


def request_on_run(reference: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """The labels and annotations of a run about a request; keys without their prefix."""
    prefix = "kubernaut.ai/remediation-request"
    raw = raw_execution(spec=raw_spec(remediationRequestRef=reference))
    meta = build_run(parse_execution(raw), spec_of(), "wfe-x-1", TEMPLATE)["metadata"]
    labels, annotations = (
        {key.removeprefix(prefix): text for key, text in meta[kind].items() if prefix in key}
        for kind in ("labels", "annotations")
    )
    return labels, annotations


def test_a_run_names_the_request_it_is_for() -> None:
    reference = {"name": "high-memory", "namespace": "requests", "uid": "u-1"}
    labels, annotations = request_on_run(reference)
    assert labels == {"": "high-memory"}
    assert annotations == {"": "high-memory", "-namespace": "requests", "-uid": "u-1"}


@pytest.mark.parametrize("name", ["x" * 64, "a/b", "ends-in-a-dash-"])
def test_a_request_whose_name_is_no_label_is_an_annotation_alone(name: str) -> None:
    labels, annotations = request_on_run({"name": name})
    assert labels == {}
    assert annotations == {"": name, "-namespace": NAMESPACE}


def test_a_run_of_an_execution_without_a_request_names_none() -> None:
    execution = replace(make_execution(), request=None)
    meta = build_run(execution, spec_of(), "wfe-x-1", TEMPLATE)["metadata"]
    assert not [key for key in meta["labels"] | meta["annotations"] if "request" in key]


def test_what_the_execution_leaves_open_is_as_the_api_server_would_fill_it() -> None:
    spec = build_run(make_execution(), spec_of(), "wfe-x-1", TEMPLATE)["spec"]
    assert spec["timeouts"]["tasks"] == "30m0s"
    assert spec["taskRunTemplate"]["serviceAccountName"] == "kubernaut-workflow-runner"
    assert spec["params"] == [{"name": "TARGET_RESOURCE", "value": TARGET}]


@pytest.mark.parametrize(
    ("image", "digest", "expected"),
    [
        pytest.param(IMAGE, None, IMAGE, id="tag-only"),
        pytest.param(IMAGE, DIGEST, f"{IMAGE}@{DIGEST}", id="pinned-by-the-digest-beside"),
        pytest.param(f"{IMAGE}@{DIGEST}", None, f"{IMAGE}@{DIGEST}", id="pinned-by-itself"),
        pytest.param(f"{IMAGE}@{DIGEST}", DIGEST, f"{IMAGE}@{DIGEST}", id="pinned-by-both"),
    ],
)
def test_what_runs_is_what_was_audited(image: str, digest: str | None, expected: str) -> None:
    assert pinned_image(spec_of(image, digest)) == expected


@pytest.mark.parametrize(
    ("spec", "allowed", "expected"),
    [
        pytest.param(spec_of(), [], "", id="any-account"),
        pytest.param(
            spec_of(executionConfig={"serviceAccountName": "b"}), ["a", "b"], "", id="one-allowed"
        ),
        pytest.param(
            spec_of(executionConfig={"serviceAccountName": "root"}),
            ["b", "a"],
            "spec.executionConfig.serviceAccountName: 'root' is not allowed; use one of a, b",
            id="account-not-allowed",
        ),
        pytest.param(spec_of(f"{IMAGE}@{DIGEST}", DIGEST), [], "", id="same-digests"),
        pytest.param(
            spec_of(f"{IMAGE}@{DIGEST}", OTHER_DIGEST),
            [],
            f"spec.workflowRef.containerDigest: '{OTHER_DIGEST}' differs from the digest in "
            f"containerImage '{IMAGE}@{DIGEST}'; make them the same",
            id="digests-differ",
        ),
    ],
)
def test_what_keeps_a_spec_from_being_run(
    spec: WorkflowExecutionSpec, allowed: list[str], expected: str
) -> None:
    template = replace(TEMPLATE, allowed_service_accounts=frozenset(allowed))
    assert problem_of(spec, template.allowed_service_accounts) == expected


def test_labels_are_valid_where_names_are_not() -> None:
    execution = make_execution(
        "a" * 253, uid="uid-1", namespace="n" * 63, workflow_id="über/" + "w" * 200
    )
    meta = build_run(execution, spec_of(), "wfe-x-1", TEMPLATE)["metadata"]
    assert all(len(value) <= 63 and value.isascii() for value in meta["labels"].values())
    assert meta["annotations"]["kubernaut.ai/workflow-execution"] == "a" * 253
    assert meta["annotations"]["kubernaut.ai/workflow-id"] == execution.workflow_id


def test_a_run_that_is_traced_tells_tekton_of_its_span() -> None:
    execution, spec = make_execution(), spec_of()
    plain = build_run(execution, spec, "wfe-x-1", TEMPLATE)
    traced = build_run(execution, spec, "wfe-x-1", replace(TEMPLATE, is_traced=True))

    span = traced["metadata"]["annotations"].pop("tekton.dev/pipelinerunSpanContext")

    assert span == trace_of(execution).for_tekton
    assert traced == plain
