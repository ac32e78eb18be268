"""Errors of the API server, as people read them."""

import pytest

from workflowexecution.kube import errors
from workflowexecution.views.wording import in_words

HOLDS = "/apis/workflowexecution.kubernaut.ai/v1alpha1/namespaces/runs/workflowholds"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            errors.NotFoundError(
                f'DELETE {HOLDS}/a: 404 workflowholds.workflowexecution.kubernaut.ai "a" not found'
            ),
            'hold "a" not found in runs',
        ),
        (
            errors.NotFoundError('GET /api/v1/namespaces/runs/pods/p/log: 404 pods "p" not found'),
            'pod "p" not found in runs',
        ),
        (
            errors.AlreadyExistsError(f'POST {HOLDS}: 409 workflowholds.x "a" already exists'),
            'hold "a" exists already in runs',
        ),
        (
            errors.NotFoundError(f'POST {HOLDS}: 404 namespaces "runs" not found'),
            'namespaces "runs" not found',
        ),
        (errors.RejectedError(f"POST {HOLDS}: 422 it is invalid"), "it is invalid"),
        (
            errors.UnavailableError("GET /version: no answer: refused"),
            "the API server: no answer: refused",
        ),
        (
            errors.UnavailableError("GET /version: 503 overloaded"),
            "the API server answers with status 503: overloaded",
        ),
        (
            errors.UnavailableError("GET /version: 404 404 page not found"),
            "a proxy answers, and not the API server, with status 404: 404 page not found",
        ),
        (errors.ApiError("anything else"), "anything else"),
    ],
)
def test_an_error_names_the_object_and_not_the_request(error: errors.ApiError, said: str) -> None:
    assert in_words(error) == said
