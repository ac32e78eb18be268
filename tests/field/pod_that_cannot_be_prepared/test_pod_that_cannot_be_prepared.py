"""The status names the obstacle to the preparation of a pod while it waits, and at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from field.situation import push_pipeline, workflow
from harness.executions import condition_of, unique
from harness.waiting import eventually
from harness.world import World
from localcluster import ApiError
from localcluster.cluster import Object

HERE = Path(__file__).parent
API = "/apis/admissionregistration.k8s.io/v1"
PLURALS = ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings")
SECRET, GATE = 'secret "nowhere" not found', "(queue.example/admission)"


@pytest.fixture
def queue(node_world: World) -> Iterator[World]:
    """A queue that admits nothing: each pod of the workflow `gated` gets a gate that stays."""
    world, name = node_world, unique("queue")
    text = (HERE / "queue.yaml").read_text()
    told = text.replace("NAMESPACE", world.execution_namespace).replace("NAME", name)
    objects: list[Object] = list(yaml.safe_load_all(told))
    for plural, item in zip(PLURALS, objects, strict=True):
        world.cluster.request("POST", f"{API}/{plural}", item)
    eventually(lambda: _assert_in_force(world))
    yield world
    for plural in reversed(PLURALS):
        world.cluster.request("DELETE", f"{API}/{plural}/{name}")


def test_each_names_what_its_pod_lacks(queue: World) -> None:
    world = queue
    missing, gated = (
        push_pipeline(world.cluster, HERE, file) for file in ("missing.yaml", "gated.yaml")
    )
    mount = _launched(world, "40s", workflow(missing))
    gate = _launched(world, "40s", workflow(gated, "gated"))
    early = _launched(world, "10s", workflow(missing))
    for item, said in ((mount, SECRET), (gate, GATE)):
        eventually(lambda item=item, said=said: _assert_says(world, item, said), 60)  # type: ignore[misc]

    ended = [world.ended(item, "Failed", 90) for item in (mount, early, gate)]

    for item, reason, said in zip(
        ended,
        ("ConfigurationError", "ConfigurationError", "DeadlineExceeded"),
        (SECRET, SECRET, GATE),
        strict=True,
    ):
        failure = item["status"]["failureDetails"]
        told = failure["message"]
        assert (failure["reason"], failure["wasExecutionFailure"]) == (reason, False), told
        assert said in told
        assert "raise the time limit" not in failure["naturalLanguageSummary"]


def _launched(world: World, limit: str, what: Object) -> Object:
    target = f"{world.source}/Deployment/{unique('x')}"
    return world.launched(target, executionConfig={"timeout": limit}, **what)[0]


def _assert_says(world: World, item: Object, said: str) -> None:
    condition = condition_of(world.read(item), "Succeeded")
    assert (condition["status"], condition["reason"]) == ("Unknown", "Waiting"), str(condition)
    assert said in condition["message"]


def _assert_in_force(world: World) -> None:
    """A policy that is new is not known to the whole API server at once."""
    path = f"/api/v1/namespaces/{world.execution_namespace}/pods?dryRun=All"
    labels = {"kubernaut.ai/workflow-id": "gated"}
    security = {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "probe", "image": "none", "securityContext": security}
    body = {"metadata": {"name": "probe", "labels": labels}, "spec": {"containers": [container]}}
    try:
        made = world.cluster.request("POST", path, body)
    except ApiError as error:
        raise AssertionError(str(error)) from error
    assert made["spec"].get("schedulingGates")
