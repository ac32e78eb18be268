"""The Dockerfile makes the image that `make image` makes: the one that everything else tests."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from incluster import dockerfile
from operator_image.assemble import assemble
from operator_image.origin import working_tree
from operator_image.unpack import unpack_layout

RUN = ("User", "Entrypoint", "Env", "ExposedPorts", "Labels")


@pytest.fixture(scope="module")
def assembled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assembled") / "image"
    assemble(working_tree(), folder)
    return folder


def test_it_has_the_same_files_packages_user_and_labels(
    described: Path | None, assembled: Path, tmp_path: Path
) -> None:
    if described is None:
        pytest.skip(dockerfile.why_not())
    one, other = (
        unpack_layout(layout, tmp_path / layout.name) for layout in (described, assembled)
    )

    files, expected = (_listing(tmp_path / layout.name) for layout in (described, assembled))
    assert {path: files.get(path) for path in expected if files.get(path) != expected[path]} == {}
    assert sorted(set(files) - set(expected)) == []
    assert _settings(one) == _settings(other)
    assert one["architecture"] == other["architecture"]
    bill = json.loads((assembled / "sbom.cdx.json").read_text())
    assert len(bill["components"]) > 50


def _settings(configuration: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: configuration["config"].get(name) for name in RUN}
    found["Env"] = sorted(found["Env"])
    found["Labels"].pop("io.buildah.version", None)
    return found


def _listing(tree: Path) -> dict[str, tuple[str, str]]:
    """Each path with its mode, and the digest of its bytes or where it points to."""
    return {
        str(path.relative_to(tree)): (oct(path.lstat().st_mode), _content(path))
        for path in sorted(tree.rglob("*"))
    }


def _content(path: Path) -> str:
    if path.is_symlink():
        return str(path.readlink())
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
