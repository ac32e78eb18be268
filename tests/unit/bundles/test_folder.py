"""A bundle's folder is read whole, with scripts and images filled in, or refused by name."""

import json
from pathlib import Path

import pytest

from localcluster.bundles import load_bundle, push_bundle
from localcluster.errors import ClusterError
from workflowexecution.bundles.folder import BundleError, read_bundle

TEKTON = Path(__file__).parents[3] / "tekton"
NAMES = sorted(path.parent.name for path in TEKTON.glob("*/workflow.yaml"))
IMAGES = {"toolbox": "registry.test/toolbox@sha256:1"}


@pytest.mark.parametrize("name", NAMES)
def test_every_bundle_loads_with_scripts_and_images_filled_in(name: str) -> None:
    bundle = read_bundle(TEKTON / name, IMAGES)

    assert bundle.pipeline
    text = json.dumps(bundle.objects)
    assert '"image": "registry.test/toolbox@sha256:1"' in text
    assert '"image": "toolbox"' not in text
    assert "\\n. " not in text


def test_a_script_is_looked_up_in_the_folder_and_then_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    (tmp_path / "shared.sh").write_text("shared text\n")
    (tmp_path / "own.sh").write_text("not this")
    (folder / "own.sh").write_text("own text\n")
    script = "#!/bin/sh\n. shared.sh\n. own.sh\nrun\n"
    step = {"image": "a/b", "script": script}
    (folder / "workflow.yaml").write_text(json.dumps({"kind": "Pipeline", "steps": [step]}))

    (item,) = read_bundle(folder).objects

    assert item["steps"][0]["script"] == "#!/bin/sh\nshared text\nown text\nrun\n"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no Tekton object"),
        ({"workflow.yaml": "kind: [unclosed"}, "not YAML"),
        ({"workflow.yaml": "just a word"}, "not an object"),
        ({"workflow.yaml": "{steps: [{image: other}]}"}, r"image='other'.*known: toolbox"),
        ({"workflow.yaml": "{steps: [{image: a/b, script: '. no.sh'}]}"}, "reads no.sh"),
        ({"workflow.yaml": "{kind: Pipeline}", "parameters.json": "{"}, "not JSON"),
        ({"workflow.yaml": "{kind: Pipeline}", "parameters.json": "[]"}, "must be a JSON Schema"),
    ],
)
def test_a_folder_that_cannot_be_read_is_refused(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(BundleError, match=message):
        read_bundle(tmp_path, IMAGES)
    with pytest.raises(ClusterError, match=message):
        load_bundle(tmp_path, IMAGES)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="nowhere: no such folder"):
        read_bundle(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "image", ["busybox:1.36", "example.test/tool", "tool@sha256:0", "$(params.i)"]
)
def test_a_complete_reference_is_left_as_it_is(tmp_path: Path, image: str) -> None:
    (tmp_path / "a.yaml").write_text(json.dumps({"kind": "Pipeline", "steps": [{"image": image}]}))
    assert load_bundle(tmp_path, {})[0]["steps"] == [{"image": image}]


def test_a_registry_that_is_not_there_is_named() -> None:
    with pytest.raises(ClusterError, match=r"registry 127\.0\.0\.1:1 did not answer"):
        push_bundle("127.0.0.1:1", "bundles/one", objects=[])
