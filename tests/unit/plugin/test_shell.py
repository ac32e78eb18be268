"""With which status a command ends."""

import pytest

from workflowexecution.api.status import Phase
from workflowexecution.kube import errors
from workflowexecution.kube.credentials import CredentialError
from workflowexecution.plugin.shell import CommandError, Exit, exit_for, explain


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (CommandError("no", Exit.NOT_FOUND), Exit.NOT_FOUND),
        (errors.MissingRightError("no"), Exit.FORBIDDEN),
        (errors.ForbiddenError("quota"), Exit.ERROR),
        (errors.NotFoundError("gone"), Exit.NOT_FOUND),
        (errors.UnknownCallerError("log in", status=401), Exit.UNAVAILABLE),
        (errors.UnknownCallerError("nobody", status=403), Exit.UNAVAILABLE),
        (CredentialError("the credential plugin failed"), Exit.UNAVAILABLE),
        (errors.UnavailableError("time-out"), Exit.UNAVAILABLE),
        (errors.NotFoundError("GET /apis/tekton.dev/v1: 404 page not found"), Exit.ERROR),
        (errors.RejectedError("bad"), Exit.ERROR),
        (ValueError("flag"), Exit.USAGE),
        (FileNotFoundError("file"), Exit.USAGE),
    ],
)
def test_every_error_has_a_status(error: Exception, status: Exit) -> None:
    assert explain(error)[0] is status


@pytest.mark.parametrize("error", [KeyError("bug"), BrokenPipeError()])
def test_a_bug_is_not_told_as_if_it_were_somebodys_mistake(error: Exception) -> None:
    with pytest.raises(type(error)):
        explain(error)


@pytest.mark.parametrize(
    ("asked", "fix"),
    [
        ("workflowexecution.kubernaut.ai", "kubectl apply -f crd.yaml"),
        ("tekton.dev", "Tekton"),
    ],
)
def test_a_kind_that_is_not_served_is_told_with_what_to_install(asked: str, fix: str) -> None:
    assert fix in explain(errors.NotFoundError(f"GET /apis/{asked}/v1/x: 404 page not found"))[1]


@pytest.mark.parametrize(
    ("phase", "status"),
    [
        (Phase.COMPLETED, 0),
        (Phase.FAILED, 10),
        (Phase.SKIPPED, 11),
        (Phase.RUNNING, 12),
        (None, 12),
    ],
)
def test_an_outcome_has_a_status(phase: Phase | None, status: int) -> None:
    assert exit_for(phase) == status
