"""One layer of the image and what it consists of, kept in the cache under everything it is from."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from localcluster.oci import File, write_tar


@dataclass(frozen=True, order=True)
class Component:
    """Something with a name and a version; `kind` is the purl type, `deb` or `pypi`."""

    kind: str
    name: str
    version: str


@dataclass(frozen=True)
class Part:
    """A layer as an uncompressed tar, and the components in it."""

    layer: Path
    components: tuple[Component, ...]


Fill = Callable[[Path], Sequence[Component]]
"""Fills an empty folder with the tree of a layer and says what it consists of."""


def cached(cache: Path, name: str, ingredients: Sequence[str], fill: Fill) -> Part:
    """The part made of these ingredients, taken from the cache or made and put there.

    It appears in the cache by one rename, so a part in it is complete.
    """
    key = hashlib.sha256("\0".join(ingredients).encode()).hexdigest()[:16]
    home = cache / f"{name}-{key}"
    if not home.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=f".{name}-") as scratch:
            made = Path(scratch, "made")
            _make(made, Path(scratch, "tree"), fill)
            _keep(made, home)
    listed = json.loads((home / "components.json").read_text())
    return Part(home / "layer.tar", tuple(Component(**fields) for fields in listed))


def write_layer(tree: Path, layer: Path) -> None:
    """Write a folder's files, links and modes as a reproducible tar, everything owned by root."""
    files, links, directories = {}, {}, {}
    for path in tree.rglob("*"):
        name = f"/{path.relative_to(tree)}"
        mode = path.lstat().st_mode & 0o1777
        if path.is_symlink():
            links[name] = str(path.readlink())
        elif path.is_dir():
            directories[name] = mode
        else:
            files[name] = File(path, mode)
    with layer.open("wb") as stream:
        write_tar(stream, files, links, directories)


def extract(stream: IO[bytes], folder: Path) -> None:
    """Unpack a tar of our own making, compressed or not, with all its modes, as that of /tmp."""
    with tarfile.open(fileobj=stream) as archive:
        # Not as an argument: Debian 12's Python 3.11 does not know it.
        archive.extraction_filter = lambda member, path: member
        archive.extractall(folder)  # noqa: S202


def _make(made: Path, tree: Path, fill: Fill) -> None:
    for folder in (made, tree):
        folder.mkdir()
    components = sorted(fill(tree))
    write_layer(tree, made / "layer.tar")
    (made / "components.json").write_text(json.dumps([asdict(one) for one in components]))


def _keep(made: Path, home: Path) -> None:
    try:
        made.rename(home)
    except OSError:
        # Somebody else has made the same at the same time.
        if not home.exists():
            raise
        shutil.rmtree(made)
