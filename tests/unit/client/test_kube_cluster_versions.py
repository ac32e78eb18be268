"""Versions that are too old are named with what to do."""

import pytest

from workflowexecution.client.kube_cluster import problem_of_versions


@pytest.mark.parametrize(
    ("kubernetes", "tekton", "said"),
    [
        pytest.param("v1.36.3", "v1.15.0", "", id="both-new-enough"),
        pytest.param("v1.31.0", "v1.0.0", "", id="the-oldest-that-will-do"),
        pytest.param("v1.31.2-gke.100", "v1.3.1", "", id="a-vendors-version"),
        pytest.param("v2.0.0", "v10.0.0", "", id="not-compared-as-text"),
        pytest.param("v1.36.3", "", "", id="tekton-does-not-say"),
        pytest.param("", "devel", "", id="builds-of-ones-own"),
        pytest.param("v1.30.9", "v1.15.0", "Kubernetes v1.30.9 is too old", id="old-kubernetes"),
        pytest.param("v1.9.0", "v0.1.0", "Kubernetes v1.9.0 is too old", id="kubernetes-first"),
        pytest.param("v1.36.3", "v0.62.1", "Tekton Pipelines v0.62.1 is too old", id="old-tekton"),
    ],
)
def test_what_is_too_old_is_told_with_what_to_do(kubernetes: str, tekton: str, said: str) -> None:
    problem = problem_of_versions(kubernetes, tekton)

    assert problem.startswith(said)
    assert bool(problem) == bool(said)
    assert not said or "or newer" in problem
