"""The answer of a registry decides the reason that is reported and the advice to people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from field.situation import push_pipeline, workflow
from harness.beside_tekton import server
from harness.executions import unique
from harness.world import World
from localcluster import Cluster

HERE = Path(__file__).parent
SILENT = "this may pass by itself"
CREDENTIALS = "imagePullSecret"
MISTAKE = "The same request will fail again"
BY_ANSWER = {
    "s503": ("ImagePullBackOff", SILENT),
    "s429": ("ImagePullBackOff", SILENT),
    "eof": ("ImagePullBackOff", SILENT),
    "s401": ("ImagePullBackOff", CREDENTIALS),
    "s403": ("ImagePullBackOff", CREDENTIALS),
    "s404": ("ConfigurationError", MISTAKE),
}


@pytest.fixture
def broken(node_cluster: Cluster) -> Iterator[str]:
    """Address of a registry that is out of order."""
    with server(node_cluster, HERE / "broken.py") as address:
        yield address


def test_each_answer_is_told_as_what_it_is(node_world: World, broken: str) -> None:
    images = {f"{broken}/{name}:v1": told for name, told in BY_ANSWER.items()}
    images["registry.invalid/team/bundle:v1"] = ("ImagePullBackOff", SILENT)
    images["127.0.0.1:1/team/bundle:v1"] = ("ImagePullBackOff", SILENT)
    items = {
        image: node_world.create(f"{node_world.source}/Deployment/{unique('x')}", **workflow(image))
        for image in images
    }

    ended = {image: node_world.ended(item, "Failed", 90) for image, item in items.items()}

    for image, (reason, advice) in images.items():
        failure = ended[image]["status"]["failureDetails"]
        told = failure["naturalLanguageSummary"]
        assert (image, failure["reason"]) == (image, reason), told
        assert advice in told, (image, told)
        assert (MISTAKE in told) == (reason == "ConfigurationError")


def test_the_bundle_of_a_task_is_told_alike(node_world: World) -> None:
    image = push_pipeline(node_world.cluster, HERE, "task_elsewhere.yaml")
    item = node_world.create(f"{node_world.source}/Deployment/task", **workflow(image))

    failure = node_world.ended(item, "Failed", 90)["status"]["failureDetails"]

    assert failure["message"].startswith("CouldntGetTask: ")
    assert failure["reason"] == "ImagePullBackOff"
    assert SILENT in failure["naturalLanguageSummary"]
