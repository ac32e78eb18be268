"""A pin by the digest of an index raises no alarm, and `bundle list` shows what it stands for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from field.situation import index_of, push_pipeline, workflow
from harness.executions import condition_of, unique
from harness.world import World


def test_an_index_is_run_without_an_alarm(node_world: World) -> None:
    image = push_pipeline(node_world.cluster, Path(__file__).parent)
    index = index_of(image)
    target = f"{node_world.source}/Deployment/{unique('x')}"

    done = node_world.ended(node_world.create(target, **workflow(index)), "Completed", 60)

    found = condition_of(done, "BundleVerified")
    assert (found["status"], found["reason"]) == ("Unknown", "DigestOfIndex")
    assert image.partition("@")[2] in found["message"]
    assert not [one for one in node_world.events_of(done) if one["type"] == "Warning"]


def test_the_image_of_the_index_is_verified(node_world: World) -> None:
    image = push_pipeline(node_world.cluster, Path(__file__).parent)
    target = f"{node_world.source}/Deployment/{unique('x')}"

    done = node_world.ended(node_world.create(target, **workflow(image)), "Completed", 60)

    assert condition_of(done, "BundleVerified")["status"] == "True"


def test_what_is_in_an_index_is_listed(node_world: World) -> None:
    image = push_pipeline(node_world.cluster, Path(__file__).parent)
    index = index_of(image)

    listed = _wfe("bundle", "list", index, "--output", "json")

    assert [row["name"] for row in json.loads(listed.stdout)] == ["workflow"]
    assert f"is an OCI index; Tekton takes its image {image.partition('@')[2]}" in listed.stderr
    assert _wfe("bundle", "list", image).stderr == ""


def test_an_index_that_tekton_can_take_nothing_of_says_so(node_world: World) -> None:
    image = push_pipeline(node_world.cluster, Path(__file__).parent)
    index = index_of(image, "arm64")

    listed = _wfe("bundle", "list", index)

    assert listed.returncode == 1
    assert "is an OCI index without an image for linux/amd64" in listed.stderr


def _wfe(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workflowexecution", *arguments]
    return subprocess.run(command, capture_output=True, text=True)
