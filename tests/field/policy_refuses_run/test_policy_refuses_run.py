"""A refusal by a policy is reported as such, with any HTTP status."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from field.situation import workflow
from harness.executions import IMAGE, unique
from harness.waiting import eventually
from harness.world import World
from localcluster import ApiError
from localcluster.cluster import Object

API = "/apis/admissionregistration.k8s.io/v1"
PLURALS = ("validatingadmissionpolicies", "validatingadmissionpolicybindings")


@pytest.fixture(params=["Invalid", "Forbidden", "RequestEntityTooLarge"])
def refusing(world: World, request: pytest.FixtureRequest) -> Iterator[None]:
    """A policy that refuses every run, with one of the reasons that there are."""
    name, text = unique("friday"), (Path(__file__).parent / "policy.yaml").read_text()
    told = text.replace("NAMESPACE", world.execution_namespace).replace("NAME", name)
    objects: list[Object] = list(yaml.safe_load_all(told.replace("REASON", request.param)))
    for plural, item in zip(PLURALS, objects, strict=True):
        world.cluster.request("POST", f"{API}/{plural}", item)
    eventually(lambda: _assert_in_force(world))
    yield
    for plural in reversed(PLURALS):
        world.cluster.request("DELETE", f"{API}/{plural}/{name}")


def test_a_refusal_is_told_as_that_of_a_policy(world: World, target: str, refusing: None) -> None:
    failure = world.ended(world.create(target, **workflow(IMAGE)), "Failed")["status"][
        "failureDetails"
    ]

    assert failure["reason"] == "Forbidden"
    assert "no runs on a Friday" in failure["message"]
    assert "ask those who keep the policy" in failure["naturalLanguageSummary"]
    assert failure["wasExecutionFailure"] is False


def _assert_in_force(world: World) -> None:
    path = f"/apis/tekton.dev/v1/namespaces/{world.execution_namespace}/pipelineruns?dryRun=All"
    run = {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": unique("probe")},
        "spec": {"pipelineRef": {"name": "none"}},
    }
    assert "no runs on a Friday" in _refusal_of(lambda: world.cluster.request("POST", path, run))


def _refusal_of(ask: Callable[[], object]) -> str:
    try:
        ask()
    except ApiError as error:
        return str(error)
    return ""
