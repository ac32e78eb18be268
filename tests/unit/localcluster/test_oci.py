"""What is pushed is the same to the byte every time, and says what it is."""

import gzip
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from localcluster import oci
from localcluster.bundles import load_bundle
from localcluster.errors import ClusterError
from localcluster.oci import File
from localcluster.oci_upload import digest_of

FILES = {"/usr/bin/tool": File(b"binary", 0o755), "/etc/passwd": File(b"nobody")}
TEKTON = Path(__file__).parents[3] / "tekton"
IMAGES = {"kubectl": "registry.test/kubectl@sha256:1", "busybox": "registry.test/busybox:2"}


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Everything sent to a registry, keyed by digest or tag."""
    sent: dict[str, bytes] = {}

    def upload(_base: str, blob: bytes | Path) -> None:
        sent[digest_of(blob)] = blob if isinstance(blob, bytes) else blob.read_bytes()

    monkeypatch.setattr(oci, "upload", upload)
    monkeypatch.setattr(
        oci, "put_manifest", lambda _base, tag, body, _type: sent.update({tag: body})
    )
    return sent


def test_an_image_has_the_same_digest_whatever_the_order_and_the_source(
    tmp_path: Path, pushed: dict[str, bytes]
) -> None:
    on_disk = tmp_path / "tool"
    on_disk.write_bytes(b"binary")
    os.utime(on_disk, (1_000_000_000, 1_000_000_000))
    reversed_files = {"/etc/passwd": FILES["/etc/passwd"], "/usr/bin/tool": File(on_disk, 0o755)}

    first = oci.push_image("r.test:5000", "tool", files=FILES, entrypoint=["/usr/bin/tool"])
    second = oci.push_image(
        "r.test:5000", "tool", files=reversed_files, entrypoint=["/usr/bin/tool"]
    )

    assert first == second
    assert first.startswith("r.test:5000/tool:latest@sha256:")


def test_an_image_says_how_it_is_run(pushed: dict[str, bytes]) -> None:
    oci.push_image(
        "r.test:5000",
        "tool",
        files=FILES,
        links={"/bin/sh": "/usr/bin/tool"},
        directories={"/tmp": 0o1777},
        command=["sh"],
        env={"PATH": "/bin", "HOME": "/"},
        user="65532",
    )

    manifest = json.loads(pushed["latest"])
    config = json.loads(pushed[manifest["config"]["digest"]])
    layer = manifest["layers"][0]
    assert config["config"] == {"Cmd": ["sh"], "Env": ["HOME=/", "PATH=/bin"], "User": "65532"}
    assert config["rootfs"]["diff_ids"] == [layer["digest"]]
    assert layer["size"] == len(pushed[layer["digest"]])

    with tarfile.open(fileobj=io.BytesIO(pushed[layer["digest"]])) as archive:
        entries = {entry.name: entry for entry in archive}
        tool = archive.extractfile("usr/bin/tool")
        assert tool is not None
        assert tool.read() == b"binary"
    assert list(entries) == [
        *("bin", "etc", "tmp", "usr", "usr/bin"),
        *("bin/sh", "etc/passwd", "usr/bin/tool"),
    ]
    assert entries["tmp"].mode == 0o1777
    assert entries["usr/bin/tool"].mode == 0o755
    assert entries["bin/sh"].linkname == "/usr/bin/tool"
    assert {(entry.mtime, entry.uid, entry.gid) for entry in entries.values()} == {(0, 0, 0)}


def test_a_bundle_names_every_object_in_its_layers_annotations(pushed: dict[str, bytes]) -> None:
    pipeline = {
        "apiVersion": "tekton.dev/v1",
        "kind": "Pipeline",
        "metadata": {"name": "workflow"},
    }

    reference = oci.push_bundle("r.test:5000", "bundles/one", tag="v1", objects=[pipeline])

    manifest = json.loads(pushed["v1"])
    layer = manifest["layers"][0]
    assert reference == f"r.test:5000/bundles/one:v1@{digest_of(pushed['v1'])}"
    assert layer["annotations"] == {
        "dev.tekton.image.apiVersion": "v1",
        "dev.tekton.image.kind": "pipeline",
        "dev.tekton.image.name": "workflow",
    }
    unpacked = gzip.decompress(pushed[layer["digest"]])
    assert json.loads(pushed[manifest["config"]["digest"]])["rootfs"]["diff_ids"] == [
        digest_of(unpacked)
    ]
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
        content = archive.extractfile(archive.next() or "")
        assert content is not None
        assert json.loads(content.read()) == pipeline


def test_a_registry_that_is_not_there_is_named() -> None:
    with pytest.raises(ClusterError, match=r"registry 127\.0\.0\.1:1 did not answer"):
        oci.push_bundle("127.0.0.1:1", "bundles/one", objects=[])


@pytest.mark.parametrize(
    "name", sorted(path.parent.name for path in TEKTON.glob("*/workflow.yaml"))
)
def test_every_bundle_loads_with_real_images(name: str) -> None:
    objects = load_bundle(TEKTON / name, IMAGES)

    text = json.dumps(objects)
    assert ("Pipeline", "workflow") in {(o["kind"], o["metadata"]["name"]) for o in objects}
    assert '"image": "registry.test/' in text
    assert '"image": "kubectl"' not in text


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no Pipeline named workflow"),
        ({"a.yaml": "kind: [unclosed"}, "is not YAML"),
        ({"a.yaml": "just a word"}, "not an object"),
        (
            {name: "{kind: Pipeline, metadata: {name: workflow}}" for name in ("a.yaml", "b.yaml")},
            "two objects of one kind and name",
        ),
        (
            {"a.yaml": "{kind: Pipeline, metadata: {name: workflow}, steps: [{image: other}]}"},
            "needs the image other; images given: busybox, kubectl",
        ),
    ],
    ids=["empty", "broken", "scalar", "twice", "unknown image"],
)
def test_a_folder_that_is_no_bundle_is_refused(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ClusterError, match=message):
        load_bundle(tmp_path, IMAGES)


@pytest.mark.parametrize(
    "image", ["busybox:1.36", "example.test/tool", "tool@sha256:0", "$(params.i)"]
)
def test_a_complete_reference_is_left_as_it_is(tmp_path: Path, image: str) -> None:
    pipeline = {"kind": "Pipeline", "metadata": {"name": "workflow"}, "steps": [{"image": image}]}
    (tmp_path / "a.yaml").write_text(json.dumps(pipeline))
    assert load_bundle(tmp_path, {})[0]["steps"] == [{"image": image}]
