"""A real registry returns a pushed image unchanged, under the digest that was reported."""

import json
import urllib.request

from localcluster import oci
from localcluster.bundles import push_bundle
from localcluster.cluster import Cluster
from localcluster.oci import File
from workflowexecution.bundles.packing import digest_of


def _fetch(registry: str, path: str) -> bytes:
    with urllib.request.urlopen(f"http://{registry}/v2/{path}", timeout=10) as answer:
        content: bytes = answer.read()
    return content


def test_an_image_comes_back_by_its_digest(tekton_cluster: Cluster) -> None:
    registry = tekton_cluster.registry or ""
    files = {"/bin/tool": File(tekton_cluster.kubectl, 0o755)}

    reference = oci.push_image(registry, "test/image", tag="v1", files=files, user="65532")
    again = oci.push_image(registry, "test/image", tag="v2", files=files, user="65532")

    digest = reference.rpartition("@")[2]
    assert again == f"{registry}/test/image:v2@{digest}"
    manifest = json.loads(_fetch(registry, f"test/image/manifests/{digest}"))
    layer = manifest["layers"][0]["digest"]
    assert digest_of(_fetch(registry, f"test/image/blobs/{layer}")) == layer
    config = json.loads(_fetch(registry, f"test/image/blobs/{manifest['config']['digest']}"))
    assert config["config"] == {"User": "65532"}


def test_a_tag_moves_to_what_was_pushed_last(tekton_cluster: Cluster) -> None:
    registry = tekton_cluster.registry or ""
    pipeline = {"apiVersion": "tekton.dev/v1", "kind": "Pipeline", "metadata": {"name": "workflow"}}

    push_bundle(registry, "test/bundle", objects=[pipeline])
    last = push_bundle(registry, "test/bundle", objects=[pipeline | {"spec": {}}])

    assert last.endswith(digest_of(_fetch(registry, "test/bundle/manifests/latest")))
