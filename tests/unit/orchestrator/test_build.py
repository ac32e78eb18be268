"""Executions as an orchestrator builds them: owned, complete, and refused before they are sent."""

import math
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflowexecution.api.inputs import parse_target
from workflowexecution.api.spec import WorkflowExecutionSpec
from workflowexecution.orchestrator import (
    Request,
    Workflow,
    build_execution,
    build_target_resource,
    execution_name,
    is_attempt_at,
    is_for_request,
    parse_request,
)

TARGET = "payment/Deployment/payment-api"
DIGEST = "sha256:" + "a" * 64
IMAGE = "registry.example/workflows/restart:v1"
OBJECT: dict[str, Any] = {
    "apiVersion": "remediation.kubernaut.ai/v1alpha1",
    "kind": "RemediationRequest",
    "metadata": {"namespace": "team-a", "name": "high-memory", "uid": "4711", "generation": 1},
    "spec": {"severity": "critical"},
}
REQUEST = parse_request(OBJECT)


def workflow(**fields: Any) -> Workflow:
    known = {"workflow_id": "restart", "version": "v1", "container_image": IMAGE}
    return Workflow(**{**known, **fields})


def test_a_whole_execution() -> None:
    selected = workflow(
        container_digest=DIGEST,
        parameters={"REPLICAS": "3"},
        confidence=0.92,
        rationale="memory grows until it is killed",
    )
    built = build_execution(
        REQUEST,
        selected,
        TARGET,
        timeout=timedelta(minutes=90),
        service_account_name="remediation-runner",
    )
    assert built == {
        "apiVersion": "workflowexecution.kubernaut.ai/v1alpha1",
        "kind": "WorkflowExecution",
        "metadata": {
            "name": "we-high-memory",
            "namespace": "team-a",
            "ownerReferences": [
                {
                    "apiVersion": "remediation.kubernaut.ai/v1alpha1",
                    "kind": "RemediationRequest",
                    "name": "high-memory",
                    "uid": "4711",
                    "controller": True,
                }
            ],
        },
        "spec": {
            "remediationRequestRef": {
                "apiVersion": "remediation.kubernaut.ai/v1alpha1",
                "kind": "RemediationRequest",
                "namespace": "team-a",
                "name": "high-memory",
                "uid": "4711",
            },
            "workflowRef": {
                "workflowId": "restart",
                "version": "v1",
                "containerImage": IMAGE,
                "containerDigest": DIGEST,
            },
            "targetResource": TARGET,
            "parameters": {"REPLICAS": "3"},
            "confidence": 0.92,
            "rationale": "memory grows until it is killed",
            "executionConfig": {"timeout": "1h30m0s", "serviceAccountName": "remediation-runner"},
        },
    }
    WorkflowExecutionSpec.model_validate(built["spec"])


def test_what_is_not_given_is_absent() -> None:
    spec = build_execution(REQUEST, workflow(), TARGET)["spec"]
    assert sorted(spec) == ["remediationRequestRef", "targetResource", "workflowRef"]
    assert "containerDigest" not in spec["workflowRef"]


def test_confidence_zero_is_kept() -> None:
    assert build_execution(REQUEST, workflow(confidence=0.0), TARGET)["spec"]["confidence"] == 0.0


def test_only_what_is_given_is_configured() -> None:
    spec = build_execution(REQUEST, workflow(), TARGET, service_account_name="runner")["spec"]
    assert spec["executionConfig"] == {"serviceAccountName": "runner"}


def test_the_same_request_gives_the_same_execution_and_a_retry_another() -> None:
    first = build_execution(REQUEST, workflow(), TARGET)
    assert build_execution(REQUEST, workflow(), TARGET) == first
    second = build_execution(REQUEST, workflow(), TARGET, attempt=2)
    assert second["metadata"]["name"] != first["metadata"]["name"]
    assert second["metadata"]["ownerReferences"] == first["metadata"]["ownerReferences"]


def test_what_was_selected_is_not_shared_with_what_was_built() -> None:
    parameters = {"REPLICAS": "3"}
    built = build_execution(REQUEST, workflow(parameters=parameters), TARGET)
    parameters["REPLICAS"] = "4"
    assert built["spec"]["parameters"] == {"REPLICAS": "3"}


@pytest.mark.parametrize(
    ("build", "message"),
    [
        pytest.param(
            lambda: build_execution(REQUEST, workflow(), "payment-api"),
            "spec.targetResource: 'payment-api' is not a target; write namespace/kind/name",
            id="target",
        ),
        pytest.param(
            lambda: build_execution(REQUEST, workflow(workflow_id=""), TARGET),
            "spec.workflowRef.workflowId: '': String should have at least 1 character",
            id="workflow",
        ),
        pytest.param(
            lambda: build_execution(REQUEST, workflow(container_image="Not An Image"), TARGET),
            "spec.workflowRef.containerImage: 'Not An Image'",
            id="image",
        ),
        pytest.param(
            lambda: build_execution(REQUEST, workflow(container_digest="latest"), TARGET),
            "spec.workflowRef.containerDigest: 'latest'",
            id="digest",
        ),
        pytest.param(
            lambda: build_execution(REQUEST, workflow(confidence=1.1), TARGET),
            "spec.confidence: 1.1",
            id="confidence",
        ),
        pytest.param(
            lambda: build_execution(REQUEST, workflow(confidence=math.nan), TARGET),
            "spec.confidence: nan",
            id="confidence-that-json-does-not-have",
        ),
        pytest.param(
            lambda: build_execution(REQUEST, workflow(), TARGET, timeout=timedelta(0)),
            "spec.executionConfig.timeout: '0s' must be a duration longer than zero",
            id="timeout",
        ),
        pytest.param(
            lambda: build_execution(REQUEST, workflow(), TARGET, timeout=-timedelta(minutes=5)),
            "spec.executionConfig.timeout: '-5m0s' is not a duration",
            id="timeout-below-zero",
        ),
        pytest.param(
            lambda: build_execution(REQUEST, workflow(), TARGET, service_account_name="Run Ner"),
            "spec.executionConfig.serviceAccountName: 'Run Ner'",
            id="account",
        ),
        pytest.param(
            lambda: build_execution(REQUEST, workflow(confidence=2, workflow_id=""), TARGET),
            "workflowId.*; spec.confidence",
            id="all-of-them-at-once",
        ),
    ],
)
def test_what_would_be_refused_is_named(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize("name", ["TARGET_RESOURCE", "replicas"])
def test_a_refused_parameter_is_named_and_its_value_is_not(name: str) -> None:
    with pytest.raises(ValueError, match=name) as refused:
        build_execution(REQUEST, workflow(parameters={name: "secret"}), TARGET)
    assert "secret" not in str(refused.value)


def test_a_request_is_read_from_its_object() -> None:
    assert Request(
        api_version="remediation.kubernaut.ai/v1alpha1",
        kind="RemediationRequest",
        namespace="team-a",
        name="high-memory",
        uid="4711",
    ) == (REQUEST)


@pytest.mark.parametrize(
    ("raw", "missing"),
    [
        ({**OBJECT, "metadata": {"namespace": "team-a", "name": "new"}}, "metadata.uid"),
        ({**OBJECT, "kind": ""}, "kind"),
        ({"kind": "Item", "metadata": None}, "apiVersion, metadata.namespace, metadata.name"),
    ],
)
def test_a_request_without_identity_owns_nothing(raw: dict[str, Any], missing: str) -> None:
    with pytest.raises(ValueError, match=f"a request needs {missing}"):
        parse_request(raw)


def test_an_execution_knows_its_request() -> None:
    built = build_execution(REQUEST, workflow(), TARGET)
    again = parse_request({**OBJECT, "metadata": {**OBJECT["metadata"], "uid": "4712"}})
    assert is_for_request(built, REQUEST)
    assert not is_for_request(built, again)


@pytest.mark.parametrize("owners", [None, "4711", [], [None], ["4711"], [{}], [{"uid": 4711}]])
def test_an_execution_of_odd_owners_is_nobodys(owners: object) -> None:
    assert not is_for_request({"metadata": {"ownerReferences": owners}}, REQUEST)


LEGAL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
REQUEST_NAMES = (
    st.lists(st.sampled_from(["a", "b0", "9", "-", "--", ".", "r" * 40]), min_size=1, max_size=12)
    .map("".join)
    .filter(lambda name: len(name) <= 253 and LEGAL.fullmatch(name) is not None)
)
ATTEMPTS = st.integers(min_value=1, max_value=999)


@pytest.mark.parametrize(
    ("request_name", "attempt", "expected"),
    [
        ("payment-api", 1, "we-payment-api"),
        ("payment.api.v2", 1, "we-payment.api.v2"),
        ("payment-api", 2, "we-payment-api-3650c31c56-2"),
        ("r" * 57, 1, "we-" + "r" * 57),
        ("r" * 58, 1, "we-" + "r" * 45 + "-95f6cf763b-1"),
        ("r." * 40 + "r", 3, "we-" + "r-" * 22 + "r-86d65974fd-3"),
    ],
)
def test_an_execution_is_called_after_its_request(
    request_name: str, attempt: int, expected: str
) -> None:
    assert execution_name(request_name, attempt) == expected


@given(REQUEST_NAMES, ATTEMPTS)
def test_any_request_gives_a_valid_and_short_name(request_name: str, attempt: int) -> None:
    name = execution_name(request_name, attempt)
    assert LEGAL.fullmatch(name)
    assert len(name) <= 63
    assert name == execution_name(request_name, attempt)


@given(st.lists(st.tuples(REQUEST_NAMES, ATTEMPTS), unique=True, min_size=2, max_size=6))
def test_no_two_requests_or_attempts_share_a_name(made: list[tuple[str, int]]) -> None:
    assert len({execution_name(*one) for one in made}) == len(made)


def test_long_names_that_begin_alike_stay_apart() -> None:
    assert execution_name("r" * 200 + "a") != execution_name("r" * 200 + "b")


def test_a_request_cannot_be_called_like_another_ones_execution() -> None:
    taken = execution_name("r" * 100)
    assert execution_name(taken.removeprefix("we-")) != taken


@pytest.mark.parametrize("name", ["", "A", "-a", "a-", "a..b", "a_b", "a/b", "a" * 254, "a\n"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of an object"):
        execution_name(name)
    assert not is_attempt_at(name, f"we-{name}")


@pytest.mark.parametrize("attempt", [0, -1, 1000])
def test_what_is_no_attempt_is_refused(attempt: int) -> None:
    with pytest.raises(ValueError, match=f"attempt {attempt} is not one of 1 to 999"):
        execution_name("request", attempt)


@given(REQUEST_NAMES, ATTEMPTS)
def test_a_requests_own_attempts_are_known(request_name: str, attempt: int) -> None:
    assert is_attempt_at(request_name, execution_name(request_name, attempt))
    assert not is_attempt_at(f"x{request_name}"[:253].rstrip("-."), execution_name(request_name))


@pytest.mark.parametrize("name", ["", "we-request-2", "we-other", "request", "we-request-", "2"])
def test_other_names_are_no_attempts(name: str) -> None:
    assert not is_attempt_at("request", name)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("payment", "Deployment", "payment-api"), "payment/Deployment/payment-api"),
        (("", "Node", "worker-node-1"), "Node/worker-node-1"),
        (("", "ClusterRole", "system:node"), "ClusterRole/system:node"),
        (("payment", "deployment", "Api"), "payment/deployment/Api"),
    ],
)
def test_a_target_is_its_parts(parts: tuple[str, str, str], expected: str) -> None:
    assert build_target_resource(*parts) == expected
    parsed = parse_target(expected)
    assert (parsed.namespace, parsed.kind, parsed.name) == parts


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("payment", "", "api"), "a target needs a kind"),
        (("payment", "Deployment", ""), "a target needs a name"),
        (("pay/ment", "Deployment", "api"), "the namespace of a target is 'pay/ment'"),
        (("payment", "apps/Deployment", "api"), "the kind of a target is 'apps/Deployment'"),
        (("payment", "Deployment", "my api"), "the name of a target is 'my api'"),
        (("payment", "Deployment", "api\n"), "the name of a target is"),
        ((" ", "Deployment", "api"), "the namespace of a target is ' '"),
        (("", "Deployment", "a" * 254), "the name of a target is 'aaa"),
        (("payment", "Deployment", "$(params.APP)"), "the name of a target is"),
        (("Payment", "Deployment", "api"), "'Payment'; it must be the name of a namespace"),
    ],
)
def test_a_part_that_cannot_be_used_is_named(parts: tuple[str, str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_target_resource(*parts)
