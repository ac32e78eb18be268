"""Malformed executions: refused with a message that helps, or Failed with one; never in silence."""

import copy
from typing import Any

import pytest

from harness.executions import execution
from harness.policies import admission_policy, quota
from harness.world import World
from localcluster.cluster import ApiError, Object

DIGEST = "sha256:" + "a" * 64
OTHER_DIGEST = "sha256:" + "b" * 64
GONE = "__removed__"
REF, WORKFLOW, CONFIG = "spec.remediationRequestRef", "spec.workflowRef", "spec.executionConfig"
IMAGE, ID = f"{WORKFLOW}.containerImage", f"{WORKFLOW}.workflowId"
TIMEOUT, ACCOUNT = f"{CONFIG}.timeout", f"{CONFIG}.serviceAccountName"
AUDITED, TARGET = f"{WORKFLOW}.containerDigest", "spec.targetResource"
PARAMETERS = "spec.parameters"

IS_REQUIRED = "Required value"
IS_NO_TARGET = "must be namespace/kind/name, or kind/name"
IS_NO_DURATION = "must be a duration longer than zero and of at most 24h"
IS_EXPANDED = "Tekton or the kubelet would change it on its way"
IS_NO_IMAGE = "must be an OCI image reference"
IS_NO_DIGEST = "must be sha256: followed by 64 lower-case hexadecimal digits"
IS_NO_ACCOUNT = "must be the name of a ServiceAccount"
IS_NO_PARAMETER = "parameter names must be UPPER_SNAKE_CASE"
IS_UNKNOWN = "unknown field"

# field, value (GONE removes it), and what the answer must say besides the field.
MALFORMED: list[tuple[str, Any, str]] = [
    ("spec", GONE, IS_REQUIRED),
    ("spec", {}, IS_REQUIRED),
    ("spec", "text", "must be of type object"),
    (REF, GONE, IS_REQUIRED),
    (REF, {}, IS_REQUIRED),
    (REF, "request-1", "must be of type object"),
    (f"{REF}.name", "", "at least 1 chars long"),
    (f"{REF}.name", 7, "must be of type string"),
    (f"{REF}.namespce", "default", IS_UNKNOWN),
    (WORKFLOW, GONE, IS_REQUIRED),
    (WORKFLOW, [], "must be of type object"),
    (ID, GONE, IS_REQUIRED),
    (ID, "", "at least 1 chars long"),
    (ID, "x" * 254, "may not be more than 253"),
    (ID, 3, "must be of type string"),
    (f"{WORKFLOW}.version", GONE, IS_REQUIRED),
    (f"{WORKFLOW}.version", "", "at least 1 chars long"),
    (f"{WORKFLOW}.version", 1.5, "must be of type string"),
    (IMAGE, GONE, IS_REQUIRED),
    (IMAGE, "", "at least 1 chars long"),
    (IMAGE, "registry.example/restart:v1 ", IS_NO_IMAGE),
    (IMAGE, "https://registry.example/restart", IS_NO_IMAGE),
    (IMAGE, "registry.example/Restart:v1", IS_NO_IMAGE),
    (IMAGE, "registry.example/restart@sha256:abc", IS_NO_IMAGE),
    (IMAGE, "registry.example/" + "x" * 1024, "may not be more than 1024"),
    (AUDITED, "a" * 64, IS_NO_DIGEST),
    (AUDITED, "sha256:" + "A" * 64, IS_NO_DIGEST),
    (AUDITED, "sha512:" + "a" * 128, IS_NO_DIGEST),
    (AUDITED, "", IS_NO_DIGEST),
    (TARGET, GONE, IS_REQUIRED),
    (TARGET, "", "at least 1 chars long"),
    (TARGET, "payment-api", IS_NO_TARGET),
    (TARGET, "payment/apps/Deployment/payment-api", IS_NO_TARGET),
    (TARGET, "/Deployment/payment-api", IS_NO_TARGET),
    (TARGET, "payment//payment-api", IS_NO_TARGET),
    (TARGET, "payment/Deployment/", IS_NO_TARGET),
    (TARGET, "payment/Deployment/payment api", IS_NO_TARGET),
    (TARGET, "Node/worker\n", IS_NO_TARGET),
    (TARGET, "a/b/" + "x" * 509, "may not be more than 512"),
    (TARGET, "payment/Deployment/no\u00a0break", IS_NO_TARGET),
    (TARGET, "payment/Deployment/$(params.APP)", IS_NO_TARGET),
    (TARGET, "payment/Pod/--all", IS_NO_TARGET),
    (TARGET, "Payment/Pod/web", IS_NO_TARGET),
    (TARGET, f"payment/Pod/{'x' * 254}", IS_NO_TARGET),
    (TARGET, ["Node", "worker"], "must be of type string"),
    (PARAMETERS, ["A"], "must be of type object"),
    (f"{PARAMETERS}.REPLICAS", 3, "must be of type string"),
    (f"{PARAMETERS}.REPLICAS", True, "must be of type string"),
    (f"{PARAMETERS}.replicas", "3", IS_NO_PARAMETER),
    (f"{PARAMETERS}.2ND", "3", IS_NO_PARAMETER),
    (f"{PARAMETERS}.WITH-DASH", "3", IS_NO_PARAMETER),
    (f"{PARAMETERS}.TARGET_RESOURCE", "a/b", "TARGET_RESOURCE is set by the operator"),
    (f"{PARAMETERS}.MESSAGE", "see $(hostname)", IS_EXPANDED),
    (f"{PARAMETERS}.MESSAGE", "cost $$5", IS_EXPANDED),
    (f"{PARAMETERS}.MESSAGE", "5 $", IS_EXPANDED),
    (f"{PARAMETERS}.MESSAGE", "a\0b", "no process can be given a NUL character"),
    (f"{PARAMETERS}.MESSAGE", "\U0001f4a5" * 8193, "must not be longer than 32768 bytes"),
    ("spec.confidence", 1.01, "less than or equal to 1"),
    ("spec.confidence", -0.1, "greater than or equal to 0"),
    ("spec.confidence", "0.9", "must be of type number"),
    ("spec.rationale", ["because"], "must be of type string"),
    (CONFIG, "30m", "must be of type object"),
    (TIMEOUT, "0s", IS_NO_DURATION),
    (TIMEOUT, "-5m", IS_NO_DURATION),
    (TIMEOUT, "soon", IS_NO_DURATION),
    (TIMEOUT, "30", IS_NO_DURATION),
    (TIMEOUT, "30 m", IS_NO_DURATION),
    (TIMEOUT, "", IS_NO_DURATION),
    (TIMEOUT, 30, "must be of type string"),
    (TIMEOUT, "1" * 63 + "ns", "may not be more than 64"),
    (TIMEOUT, "9" * 20 + "h", "timeout"),
    (TIMEOUT, "24h0m1s", IS_NO_DURATION),
    (TIMEOUT, "87600h", IS_NO_DURATION),
    (ACCOUNT, "", "at least 1 chars long"),
    (ACCOUNT, "Runner", IS_NO_ACCOUNT),
    (ACCOUNT, "-runner", IS_NO_ACCOUNT),
    (ACCOUNT, "x" * 254, "may not be more than 253"),
    *[
        (f"spec.{removed}", {}, IS_UNKNOWN)
        for removed in (
            "steps",
            "approvalRequired",
            "dryRunFirst",
            "rollbackStrategy",
            "maxRetries",
            "safetyChecks",
        )
    ],
]


def changed(item: Object, field: str, value: Any) -> Object:
    """The object with one field replaced, added or removed; a key may hold no dot."""
    result = copy.deepcopy(item)
    *above, last = field.split(".")
    place = result
    for key in above:
        place = place.setdefault(key, {})
    if value == GONE:
        del place[last]
    else:
        place[last] = value
    return result


def name_of_case(value: Any) -> str:
    return (repr(value)[:24] if not isinstance(value, str) else value[:40]).strip()


@pytest.mark.parametrize(("field", "value", "said"), MALFORMED, ids=name_of_case)
def test_the_api_server_says_what_is_wrong(
    world: World, target: str, field: str, value: Any, said: str
) -> None:
    item = changed(execution(target, namespace=world.source), field, value)
    with pytest.raises(ApiError) as error:
        world.executions.create(item, fieldValidation="Strict")

    assert error.value.code in (400, 422)
    answer = str(error.value)
    assert said in answer
    parts = [part for part in field.split(".")[:3] if not field.startswith(f"{PARAMETERS}.")]
    assert all(part in answer for part in parts), answer


def test_enough_is_tried() -> None:
    assert len(MALFORMED) >= 60


@pytest.mark.parametrize("count", [256, 257])
def test_parameters_are_bounded_in_number(world: World, target: str, count: int) -> None:
    parameters = {f"P_{number}": "x" for number in range(count)}
    item = execution(target, namespace=world.source, parameters=parameters)
    if count <= 256:
        world.executions.create(item)
        return
    with pytest.raises(ApiError, match="must have at most 256 items"):
        world.executions.create(item)


def refused(world: World, item: Object, reason: str = "ConfigurationError") -> str:
    """Wait for its end for a reason, with nothing launched; returns the message."""
    status = world.ended(item, "Failed")["status"]
    details = status["failureDetails"]
    assert details["reason"] == status["failureReason"] == reason
    assert details["wasExecutionFailure"] is False
    assert "pipelineRunRef" not in status
    assert "nothing was changed" in details["naturalLanguageSummary"]
    assert world.runs_of(item) == []
    return str(details["message"])


def test_digests_that_differ_are_refused_before_anything_runs(world: World, target: str) -> None:
    reference = {
        "workflowId": "restart",
        "version": "v1",
        "containerImage": f"registry.example/restart@{DIGEST}",
        "containerDigest": OTHER_DIGEST,
    }
    said = refused(world, world.create(target, workflowRef=reference))
    assert "spec.workflowRef.containerDigest" in said
    assert OTHER_DIGEST in said
    assert DIGEST in said
    world.launched(target)


def test_what_only_the_operator_can_tell(world: World, target: str) -> None:
    """The schema's expressions know less than the operator: it looks again."""
    message = refused(world, world.create(target, executionConfig={"timeout": "0.4us"}))
    assert message.startswith(
        "spec.executionConfig.timeout: '0.4us' must be a duration longer than"
    )


def test_digests_that_agree_are_fine(world: World, target: str) -> None:
    image = f"registry.example/restart:v1@{DIGEST}"
    reference = {
        "workflowId": "restart",
        "version": "v1",
        "containerImage": image,
        "containerDigest": DIGEST,
    }
    _, run = world.launched(target, workflowRef=reference)
    assert run["spec"]["pipelineRef"]["params"][0] == {"name": "bundle", "value": image}


def test_a_service_account_that_is_not_allowed(world: World, target: str) -> None:
    """The operator is started anew with a list of those that executions may name."""
    world.operator.stop()
    strict = world.new_operator(
        world.proxy.url, "--allowed-service-accounts=kubernaut-workflow-runner,drainer"
    )
    strict.start()
    try:
        config = {"serviceAccountName": "cluster-admin"}
        said = refused(world, world.create(target, executionConfig=config))
        world.launched(target, executionConfig={"serviceAccountName": "drainer"})
    finally:
        strict.stop()
        world.operator.start()
    assert "spec.executionConfig.serviceAccountName" in said
    assert "'cluster-admin' is not allowed; use one of drainer, kubernaut-workflow-runner" in said


def test_a_run_that_admission_refuses(world: World, target: str) -> None:
    with admission_policy(world, "object.spec.params.exists(p, p.name == 'FORBIDDEN_HERE')"):
        item = world.create(target, parameters={"FORBIDDEN_HERE": "1"})
        said = refused(world, item, "Forbidden")
        assert "not in this namespace" in said
        world.launched(target)


def test_an_execution_namespace_that_is_full(world: World, target: str) -> None:
    with quota(world, len(world.runs())):
        status = world.ended(world.create(target), "Failed")["status"]
        assert "exceeded quota" in status["failureDetails"]["message"]
        assert status["failureReason"] == "ResourceExhausted"
    world.launched(target)


def test_a_good_one_is_still_served(world: World, target: str) -> None:
    world.completed(target)
