"""A pin by the digest of an index raises no alarm, and `bundle list` shows what it stands for."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

from field.situation import push_pipeline, workflow
from harness.executions import condition_of, unique
from harness.world import World

INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE = "application/vnd.docker.distribution.manifest.v2+json"


def test_an_index_is_run_without_an_alarm(node_world: World) -> None:
    image = push_pipeline(node_world.cluster, Path(__file__).parent)
    index = _index_of(image)
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
    index = _index_of(image)

    listed = _wfe("bundle", "list", index, "--output", "json")

    assert [row["name"] for row in json.loads(listed.stdout)] == ["workflow"]
    assert f"is an OCI index; Tekton takes its image {image.partition('@')[2]}" in listed.stderr
    assert _wfe("bundle", "list", image).stderr == ""


def test_an_index_that_tekton_can_take_nothing_of_says_so(node_world: World) -> None:
    image = push_pipeline(node_world.cluster, Path(__file__).parent)
    index = _index_of(image, "arm64")

    listed = _wfe("bundle", "list", index)

    assert listed.returncode == 1
    assert "is an OCI index without an image for linux/amd64" in listed.stderr


def _index_of(image: str, architecture: str = "amd64") -> str:
    """Push an index that names a pushed image, for one architecture; its reference by digest."""
    where, digest = image.split("@")
    host, _, path = where.rpartition(":")[0].partition("/")
    manifests = f"http://{host}/v2/{path}/manifests"
    ask = urllib.request.Request(f"{manifests}/{digest}", headers={"Accept": IMAGE})
    with urllib.request.urlopen(ask) as answer:
        size = len(answer.read())
    entry = {
        "mediaType": IMAGE,
        "digest": digest,
        "size": size,
        "platform": {"os": "linux", "architecture": architecture},
    }
    body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).encode()
    put = urllib.request.Request(
        f"{manifests}/index-{architecture}",
        data=body,
        method="PUT",
        headers={"Content-Type": INDEX},
    )
    with urllib.request.urlopen(put):
        return f"{host}/{path}@sha256:{hashlib.sha256(body).hexdigest()}"


def _wfe(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workflowexecution", *arguments]
    return subprocess.run(command, capture_output=True, text=True)
