"""A pushed image has the same bytes every time, and describes itself."""

import io
import json
import os
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from localcluster import oci
from localcluster.oci import File
from workflowexecution.bundles.packing import digest_of

FILES = {"/usr/bin/tool": File(b"binary", 0o755), "/etc/passwd": File(b"nobody")}


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Everything sent to a registry, keyed by digest or tag."""
    sent: dict[str, bytes] = {}

    def store(reference: str, blobs: Iterable[bytes | Path], manifest: bytes) -> str:
        read = [blob if isinstance(blob, bytes) else blob.read_bytes() for blob in blobs]
        sent.update({digest_of(blob): blob for blob in read})
        sent[reference.rpartition(":")[2]] = manifest
        return f"{reference}@{digest_of(manifest)}"

    monkeypatch.setattr(oci, "store_image", store)
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
