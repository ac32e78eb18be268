"""Causes that are told in words only: registries, resolvers, quotas and policies."""

import dataclasses

import pytest

from builders import RUN_NAMESPACE, ago, make_execution, make_run, make_task_run
from workflowexecution.api.status import FailureReason
from workflowexecution.core.diagnosis.diagnose import Diagnosis, diagnose
from workflowexecution.core.diagnosis.explanations import CAUSES, Cause
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.diagnosis.tables import class_of_refusal, is_passing
from workflowexecution.core.facts.run import Run

CONFIGURATION = FailureReason.CONFIGURATION_ERROR
NOT_FETCHED = FailureReason.IMAGE_PULL_BACK_OFF
ASKED = "error requesting remote resource: "
GETTING = 'error getting "bundleresolver" "kubernaut-workflows/bundles-ca3f": '
FROM_REGISTRY = f"{ASKED}{GETTING}cannot retrieve the oci image: "
MANIFEST = "GET http://r:5000/v2/w/manifests/v1: "
FETCHING_REASONS = (
    "CouldntGetPipeline",
    "CouldntGetTask",
    "PipelineValidationFailed",
    "TaskRunResolutionFailed",
)
SILENT = (
    'Get "https://r/v2/": dial tcp: lookup r on 10.96.0.10:53: no such host',
    'Get "https://r/v2/": dial tcp: lookup r on 10.96.0.10:53: dial udp: network is unreachable',
    'Get "https://r/v2/": dial tcp 10.0.0.1:5000: connect: connection refused',
    'Get "https://r/v2/": dial tcp 10.0.0.1:5000: i/o timeout',
    'Get "https://r/v2/": read tcp 10.0.0.2:1->10.0.0.1:5000: read: connection reset by peer',
    'Get "https://r/v2/": net/http: TLS handshake timeout',
    'Get "https://r/v2/": tls: failed to verify certificate: x509: signed by unknown authority',
    'Get "https://r/v2/": tls: failed to verify certificate: x509: certificate has expired',
    'Get "https://r/v2/": http: server gave HTTP response to HTTPS client',
    'Get "https://r/v2/": Proxy Authentication Required',
    'Get "http://r:5000/v2/w/manifests/v1": EOF',
    'Get "http://r:5000/v2/w/manifests/v1": context deadline exceeded',
    f"{MANIFEST}unexpected status code 503 Service Unavailable",
    f"{MANIFEST}unexpected status code 500 Internal Server Error: <html>no 404 here</html>",
    f"{MANIFEST}unexpected status code 429 Too Many Requests",
    f"{MANIFEST}unexpected status code 408 Request Timeout",
    f"{MANIFEST}TOOMANYREQUESTS: You have reached your unauthenticated pull rate limit.",
    f"{MANIFEST}UNAVAILABLE: service unavailable",
    f"{MANIFEST}UNKNOWN: unknown error",
    "words of a registry that nobody has seen yet",
)
REFUSED = (
    f"{MANIFEST}unexpected status code 401 Unauthorized",
    f"{MANIFEST}unexpected status code 403 Forbidden: no basic auth credentials",
    f"{MANIFEST}UNAUTHORIZED: authentication required",
    f"{MANIFEST}multiple errors returned: UNAUTHORIZED: who; DENIED: requested access denied",
    "GET https://ghcr.example/token?scope=repository%3Aw%3Apull: DENIED: denied",
)
TOKEN = "GET https://auth.example/token?scope=repository%3Aw%3Apull: unexpected status code "
WRONG_LOGIN = (
    f'{TOKEN}401 Unauthorized: {{"details":"incorrect username or password"}}',
    f"{TOKEN}401 Unauthorized: Invalid Username or Password",
    f'{TOKEN}401 Unauthorized: {{"id":"Unauthorized","message":"Unable to authenticate you"}}',
    f"{TOKEN}403 Forbidden: HTTP Basic: Access denied. The provided password was incorrect",
    f"{MANIFEST}UNAUTHORIZED: Bad credentials",
    f"{MANIFEST}UNAUTHORIZED: invalid token",
    f"{MANIFEST}UNAUTHORIZED: Could not find robot with username: team+reader",
)
EXPIRED_LOGIN = (
    f"{MANIFEST}DENIED: Your authorization token has expired. Reauthenticate and try again.",
    f"{TOKEN}401 Unauthorized: token is expired",
    f"{MANIFEST}UNAUTHORIZED: invalid token: token expired",
)
MISTAKEN = (
    f"{MANIFEST}MANIFEST_UNKNOWN: manifest unknown",
    f"{MANIFEST}NAME_UNKNOWN: Unknown name",
    f"{MANIFEST}unexpected status code 404 Not Found",
    f"{MANIFEST}unexpected status code 400 Bad Request",
    f"{MANIFEST}MANIFEST_INVALID: manifest invalid",
    f"{MANIFEST}UNSUPPORTED: not a bundle",
    "no child with platform linux/amd64 in index r:5000/w:v1",
    'unsupported MediaType: "application/vnd.docker.distribution.manifest.v1+prettyjws"',
    'manifest digest: "sha256:aa" does not match requested digest: "sha256:bb" for "r:5000/w"',
    "w@@ is an unparseable image reference: could not parse reference",
)
BY_ANSWER = [
    *((FROM_REGISTRY + said, NOT_FETCHED, Cause.REGISTRY_SILENT) for said in SILENT),
    *((FROM_REGISTRY + said, NOT_FETCHED, Cause.REGISTRY_REFUSES) for said in REFUSED),
    *((FROM_REGISTRY + said, NOT_FETCHED, Cause.LOGIN_WRONG) for said in WRONG_LOGIN),
    *((FROM_REGISTRY + said, NOT_FETCHED, Cause.LOGIN_EXPIRED) for said in EXPIRED_LOGIN),
    *((FROM_REGISTRY + said, CONFIGURATION, None) for said in MISTAKEN),
]
BY_RESOLVER = [
    (f"{ASKED}resolution took longer than global timeout of 1m0s", Cause.RESOLVER_SILENT),
    (f"{GETTING}context deadline exceeded", Cause.RESOLVER_SILENT),
    (f"{ASKED}Internal error occurred: failed calling webhook", Cause.RESOLVER_SILENT),
    (f"{ASKED}etcdserver: request timed out", Cause.RESOLVER_SILENT),
    (f"{GETTING}could not find object in image with kind: task and name: x", None),
    (f'{GETTING}parameter "bundle" required', None),
    ("could not find workflow: dial tcp x", None),
]
QUOTA = 'pipelineruns.tekton.dev "wfe-1" is forbidden: exceeded quota: runs, requested: 1'
UNKNOWN_QUOTA = 'taskruns.tekton.dev "t" is forbidden: status unknown for quota: q, resources: x'
POLICY = (
    "pipelineruns.tekton.dev \"wfe-1\" is forbidden: ValidatingAdmissionPolicy 'only-mine' with "
    "binding 'all' denied request: not here"
)
WEBHOOK = 'admission webhook "validate.kyverno.svc-fail" denied the request: \n\npolicy x\n'
OF_TEKTON = (
    'admission webhook "validation.webhook.pipeline.tekton.dev" denied the request: validation '
    "failed: invalid value: spec.timeouts.pipeline"
)


def failed_run(reason: str, message: str) -> Run:
    return make_run(
        "mine", succeeded="False", reason=reason, message=message, completed_at=ago(minutes=1)
    )


@pytest.mark.parametrize(("message", "expected", "cause"), BY_ANSWER)
@pytest.mark.parametrize("reason", FETCHING_REASONS[:3])
def test_what_a_registry_answers_decides_whether_the_request_is_the_mistake(
    reason: str, message: str, expected: FailureReason, cause: Cause | None
) -> None:
    found = diagnose(failed_run(reason, message), [])
    assert (found.reason, found.cause) == (expected, cause)


@pytest.mark.parametrize("said", [REFUSED[0], WRONG_LOGIN[0], EXPIRED_LOGIN[0]])
def test_who_was_refused_is_named_with_the_command_that_shows_its_secrets(said: str) -> None:
    asked = {"params": [{"name": "serviceAccount", "value": "runner"}]}
    run = make_run(
        "mine",
        succeeded="False",
        reason="CouldntGetPipeline",
        message=FROM_REGISTRY + said,
        completed_at=ago(minutes=1),
        spec={"pipelineRef": asked},
    )
    found = diagnose(run, [])
    account = f"{RUN_NAMESPACE}/runner"
    assert found.message.endswith(f"{said}; asked as ServiceAccount {account}")
    assert found.see == f"kubectl describe serviceaccount -n {RUN_NAMESPACE} runner"
    # A task's bundle is fetched with the parameters of the task.
    of_task = diagnose(dataclasses.replace(run, reason="CouldntGetTask"), [])
    assert "runner" not in of_task.message + of_task.see


@pytest.mark.parametrize(("message", "cause"), BY_RESOLVER)
@pytest.mark.parametrize("reason", FETCHING_REASONS[:3])
def test_a_resolver_that_is_silent_is_no_mistake_of_the_request(
    reason: str, message: str, cause: Cause | None
) -> None:
    found = diagnose(failed_run(reason, message), [])
    assert (found.reason, found.cause) == (NOT_FETCHED if cause else CONFIGURATION, cause)


def test_what_a_task_itself_fetches_is_classed_alike() -> None:
    task = make_task_run("t", reason=FETCHING_REASONS[3], message=FROM_REGISTRY + SILENT[0])
    found = diagnose(failed_run("Failed", "Tasks Completed: 1"), [task])
    assert (found.reason, found.cause) == (NOT_FETCHED, Cause.REGISTRY_SILENT)


@pytest.mark.parametrize("message", [FROM_REGISTRY + said for said in (*SILENT, *REFUSED)])
def test_the_advice_never_says_that_the_same_request_fails_again(message: str) -> None:
    found = diagnose(failed_run("CouldntGetTask", message), [])
    told = details_of(found, make_execution(), started_at=ago(minutes=2), failed_at=ago(minutes=1))
    assert "will fail again" not in told.natural_language_summary
    assert found.cause is not None
    assert told.natural_language_summary.endswith(CAUSES[found.cause].to_do)


@pytest.mark.parametrize(
    ("message", "expected", "cause"),
    [
        (QUOTA, FailureReason.RESOURCE_EXHAUSTED, None),
        (UNKNOWN_QUOTA, FailureReason.RESOURCE_EXHAUSTED, None),
        (POLICY, FailureReason.FORBIDDEN, Cause.POLICY_REFUSES),
        (POLICY.replace("Validating", "Mutating"), FailureReason.FORBIDDEN, Cause.POLICY_REFUSES),
        (WEBHOOK, FailureReason.FORBIDDEN, Cause.POLICY_REFUSES),
        (OF_TEKTON, CONFIGURATION, None),
        ("a policy speaks of exceeded quota: no", CONFIGURATION, None),
        ('taskruns.tekton.dev "x" is invalid: spec', CONFIGURATION, None),
    ],
)
@pytest.mark.parametrize(
    "reason",
    [
        "CreateRunFailed",
        "CouldntCreateWorkspacePVC",
        "CouldntGetPipeline",
        "ReasonCouldntCreateOrUpdateAffinityAssistantStatefulSet",
    ],
)
def test_a_part_of_a_run_that_is_refused_is_classed_by_who_refuses_it(
    reason: str, message: str, expected: FailureReason, cause: Cause | None
) -> None:
    found = diagnose(failed_run(reason, message), [])
    assert found == Diagnosis(
        reason=expected, cause=cause, message=f"{reason}: {message}", see=found.see
    )


def test_a_pod_that_a_policy_refuses_is_forbidden() -> None:
    message = f'failed to create task run pod "x": {WEBHOOK}. Maybe invalid TaskSpec'
    task = make_task_run("t", reason="PodCreationFailed", message=message)
    found = diagnose(failed_run("Failed", "Tasks Completed: 1"), [task])
    assert (found.reason, found.cause) == (FailureReason.FORBIDDEN, Cause.POLICY_REFUSES)


def test_what_neither_quota_nor_policy_refuses_is_left_to_the_status() -> None:
    assert class_of_refusal('User "x" cannot create resource "pipelineruns"') is None


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('runs.x "wfe-1" is forbidden: status unknown for quota: runs, resources: pods', True),
        ('runs.x "wfe-1" is forbidden: exceeded quota: runs', False),
    ],
)
def test_a_quota_that_is_not_counted_yet_is_waited_for(message: str, expected: bool) -> None:
    assert is_passing(message) is expected
