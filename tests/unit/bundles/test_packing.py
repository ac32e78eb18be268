"""A packed bundle is what Tekton's own command line makes of the same objects."""

import gzip
import io
import json
import tarfile

import yaml

from workflowexecution.bundles.packing import digest_of, pack, render

PIPELINE = {
    "apiVersion": "tekton.dev/v1",
    "kind": "Pipeline",
    "metadata": {"name": "workflow"},
    "spec": {"description": "a < b && ä", "tasks": [{"name": "one", "taskRef": {"name": "x"}}]},
}
# What `tkn bundle push` 0.46 gave to the configuration of this object's bundle.
CONFIG_OF_TKN = "sha256:9a4b1d5f5b706232919c999dc7b0e62537f415052119f0c7c492aefb31dd7d5c"


def test_the_configuration_is_that_of_tektons_own_command() -> None:
    assert pack([PIPELINE]).config.digest == CONFIG_OF_TKN


def test_every_object_is_a_layer_that_names_it() -> None:
    task = {"apiVersion": "tekton.dev/v1beta1", "kind": "Task", "metadata": {"name": "two"}}
    image = pack([PIPELINE, task])

    manifest = json.loads(image.manifest.content)
    assert [layer["annotations"] for layer in manifest["layers"]] == [
        {
            "dev.tekton.image.apiVersion": version,
            "dev.tekton.image.kind": kind,
            "dev.tekton.image.name": name,
        }
        for version, kind, name in (("v1", "pipeline", "workflow"), ("v1beta1", "task", "two"))
    ]
    assert [layer["digest"] for layer in manifest["layers"]] == [
        layer.digest for layer in image.layers
    ]
    unpacked = [gzip.decompress(layer.content) for layer in image.layers]
    assert json.loads(image.config.content)["rootfs"]["diff_ids"] == [
        digest_of(content) for content in unpacked
    ]
    with tarfile.open(fileobj=io.BytesIO(unpacked[0])) as archive:
        content = archive.extractfile("workflow")
        assert content is not None
        assert json.loads(content.read()) == PIPELINE


def test_the_same_objects_give_the_same_bytes() -> None:
    turned = dict(reversed(PIPELINE.items()))
    assert pack([PIPELINE]).manifest.content == pack([turned]).manifest.content


def test_what_is_rendered_is_the_same_objects() -> None:
    shared = {"env": [{"name": "A", "value": "text\nin lines\n"}]}
    item = {**PIPELINE, "spec": {"first": shared, "second": shared}}

    text = render([item, PIPELINE])

    assert list(yaml.safe_load_all(text)) == [item, PIPELINE]
    assert "&" not in text.replace("&& ", "")
    assert "value: |" in text
