"""An error of the API server says whether it is final, has to be waited for, or may be retried."""

import pytest

from workflowexecution.kube import errors

AUTHORIZER = (
    'pipelineruns.tekton.dev is forbidden: User "system:serviceaccount:kubernaut-system:'
    'workflowexecution-controller" cannot create resource "pipelineruns" in API group '
    '"tekton.dev" in the namespace "kubernaut-workflows"'
)
QUOTA = 'pipelineruns.tekton.dev "x" is forbidden: exceeded quota: runs, requested: count=1'
ADMISSION = 'pipelineruns.tekton.dev "x" is forbidden: ValidatingAdmissionPolicy denied request'

POLICY = (
    "pipelineruns.tekton.dev \"x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' "
    "denied request: no"
)
NOBODY = (
    'workflowexecutions.workflowexecution.kubernaut.ai is forbidden: User "system:anonymous" '
    'cannot list resource "workflowexecutions" in API group "workflowexecution.kubernaut.ai"'
)
NOBODY_AT_A_PATH = 'forbidden: User "system:anonymous" cannot get path "/version"'
NOBODY_AS_ANOTHER = (
    'users "alice" is forbidden: User "system:anonymous" cannot impersonate resource "users" in '
    'API group "" at the cluster scope'
)
WEBHOOK = 'admission webhook "validate.example.com" denied the request: no'


@pytest.mark.parametrize(
    ("status", "message", "cause", "expected"),
    [
        (403, AUTHORIZER, "", errors.MissingRightError),
        (403, QUOTA, "", errors.ForbiddenError),
        (403, ADMISSION, "", errors.ForbiddenError),
        (401, POLICY, "", errors.ForbiddenError),
        (403, POLICY, "", errors.ForbiddenError),
        (404, WEBHOOK, "", errors.ForbiddenError),
        (409, WEBHOOK, "", errors.ForbiddenError),
        (418, WEBHOOK, "", errors.ForbiddenError),
        (400, WEBHOOK, "", errors.RejectedError),
        (422, POLICY, "", errors.RejectedError),
        (429, WEBHOOK, "", errors.UnavailableError),
        (500, WEBHOOK, "", errors.UnavailableError),
        (401, "Unauthorized", "", errors.UnknownCallerError),
        (403, NOBODY, "", errors.UnknownCallerError),
        (403, NOBODY_AT_A_PATH, "", errors.UnknownCallerError),
        (403, NOBODY_AS_ANOTHER, "", errors.UnknownCallerError),
        (403, f"{WEBHOOK}; {NOBODY}", "", errors.MissingRightError),
        (403, f"{WEBHOOK}; {NOBODY_AT_A_PATH}", "", errors.ForbiddenError),
        (403, "being terminated", "NamespaceTerminating", errors.NamespaceTerminatingError),
        (410, "expired", "", errors.GoneError),
        (413, "too large", "", errors.RejectedError),
        (422, "invalid", "", errors.RejectedError),
        (404, "404 page not found", "", errors.NotFoundError),
        (404, "<html>default backend</html>", "", errors.UnavailableError),
        (409, "changed", "", errors.ConflictError),
        (418, "odd", "", errors.UnavailableError),
        (503, "overloaded", "", errors.UnavailableError),
    ],
)
def test_each_answer_has_its_error(
    status: int, message: str, cause: str, expected: type[errors.ApiError]
) -> None:
    found = errors.error_for(status, "Any", message, cause=cause)
    assert (type(found), found.status, str(found)) == (expected, status, message)


def test_the_missing_object_is_named_only_as_the_server_does() -> None:
    found = errors.error_for(404, "NotFound", 'things "a" not found', name="a")
    assert isinstance(found, errors.NotFoundError)
    assert found.name == "a"
    unknown = errors.error_for(404, "", "404 page not found\n")
    assert isinstance(unknown, errors.NotFoundError)
    assert unknown.name == ""
    by_proxy = errors.error_for(404, "", "404 page not found\n", is_of_server=False)
    assert isinstance(by_proxy, errors.UnavailableError)


def test_what_the_server_asks_to_wait_is_kept() -> None:
    found = errors.error_for(429, "TooManyRequests", "slow down", retry_after=7.0)
    assert isinstance(found, errors.UnavailableError)
    assert found.retry_after == 7.0


@pytest.mark.parametrize(
    ("status", "message", "cause", "is_logged"),
    [
        (422, "spec: Invalid value: s3cret", "", False),
        (400, "cannot be read: s3cret", "", False),
        (413, "too large: s3cret", "", False),
        (403, f"{ADMISSION}: s3cret", "", False),
        (403, AUTHORIZER, "", True),
        (403, "being terminated", "NamespaceTerminating", True),
        (409, "changed", "", True),
        (503, "overloaded", "", True),
    ],
)
def test_of_a_refusal_that_may_quote_the_object_only_its_place_is_logged(
    status: int, message: str, cause: str, is_logged: bool
) -> None:
    found = errors.error_for(status, "Any", message, cause=cause)
    found.request = "POST /runs"
    told = errors.text_for_logs(found)
    assert (message in told) == is_logged
    assert "s3cret" not in told
    assert is_logged or told.startswith(f"POST /runs: {status}; ")
