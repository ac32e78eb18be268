"""Writes images to an OCI registry that speaks plain HTTP on loopback.

The same content always gives the same digest: times are zero, names sorted, owners root. Layers
are left uncompressed, because on loopback compressing costs more than sending.
"""

from __future__ import annotations

import json
import platform
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from localcluster.errors import ClusterError
from workflowexecution.bundles.packing import digest_of, opened
from workflowexecution.bundles.registry import BundleRegistry, RegistryError

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
TAR = "application/vnd.oci.image.layer.v1.tar"
ARCHITECTURES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class File:
    """One file of an image: its bytes, or the path of a file on this machine."""

    content: bytes | Path
    mode: int = 0o644


@dataclass(frozen=True)
class Layer:
    """One stored blob, as a manifest describes it; `diff_id` is the digest before compression."""

    content: bytes | Path
    media_type: str
    diff_id: str
    annotations: Mapping[str, str]

    def descriptor(self) -> dict[str, Any]:
        """The layer's entry in a manifest."""
        entry = descriptor(self.content, self.media_type)
        return entry | ({"annotations": dict(self.annotations)} if self.annotations else {})


def push_image(
    registry: str,
    repository: str,
    *,
    tag: str = "latest",
    files: Mapping[str, File],
    links: Mapping[str, str] | None = None,
    directories: Mapping[str, int] | None = None,
    entrypoint: Sequence[str] = (),
    command: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    user: str = "",
    workdir: str = "",
) -> str:
    """Push an image of one layer for this machine's architecture.

    `files`, `links` (symbolic: path to target) and `directories` (path to mode) are keyed by
    absolute path in the image; missing parent directories are made with mode 0755.

    Returns:
        The reference `host:port/repository:tag@sha256:…`.

    Raises:
        ClusterError: the registry cannot be reached or refused something.
    """
    run = {
        "Entrypoint": list(entrypoint),
        "Cmd": list(command),
        "Env": [f"{key}={value}" for key, value in sorted((env or {}).items())],
        "User": user,
        "WorkingDir": workdir,
    }
    with tempfile.TemporaryDirectory(prefix="oci-") as scratch:
        path = Path(scratch) / "layer.tar"
        with path.open("wb") as stream:
            write_tar(stream, files, links or {}, directories or {})
        layer = Layer(path, TAR, digest_of(path), {})
        return _push(registry, repository, tag, [layer], {k: v for k, v in run.items() if v})


def write_tar(
    stream: IO[bytes],
    files: Mapping[str, File],
    links: Mapping[str, str],
    directories: Mapping[str, int],
) -> None:
    """Write a reproducible tar of these entries: parents first, everything owned by root."""
    parents = {parent for path in [*files, *links, *directories] for parent in _parents(path)}
    modes = dict.fromkeys(parents, 0o755) | {_relative(p): mode for p, mode in directories.items()}
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, mode in sorted(modes.items()):
            archive.addfile(_entry(name, mode, type=tarfile.DIRTYPE))
        for path, target in sorted(links.items()):
            archive.addfile(_entry(_relative(path), 0o777, type=tarfile.SYMTYPE, linkname=target))
        for path, file in sorted(files.items()):
            with opened(file.content) as content:
                size = _size_of(file.content)
                archive.addfile(_entry(_relative(path), file.mode, size=size), content)


def _push(
    registry: str, repository: str, tag: str, layers: Sequence[Layer], run: Mapping[str, Any]
) -> str:
    config, manifest = image_of(layers, run)
    return store_image(
        f"{registry}/{repository}:{tag}", [*(layer.content for layer in layers), config], manifest
    )


def store_image(reference: str, blobs: Iterable[bytes | Path], manifest: bytes) -> str:
    """Store the blobs and the manifest of an image in a registry on loopback.

    Returns the reference with tag and digest. Raises ClusterError.
    """
    try:
        place = BundleRegistry(reference)
        for blob in blobs:
            place.store(blob, digest_of(blob))
        return place.store_manifest(manifest, MANIFEST)
    except RegistryError as error:
        raise ClusterError(str(error)) from error


def native_architecture() -> str:
    """This machine's architecture, by its name in images: `amd64`, `arm64`."""
    return ARCHITECTURES.get(platform.machine(), platform.machine())


def image_of(
    layers: Sequence[Layer],
    run: Mapping[str, Any],
    annotations: Mapping[str, str] | None = None,
    architecture: str = "",
) -> tuple[bytes, bytes]:
    """Configuration and manifest of an image of these layers.

    `run` is the configuration's `config`; the architecture is this machine's if it is empty.
    """
    config = as_json(
        {
            "architecture": architecture or native_architecture(),
            "os": "linux",
            "config": dict(run),
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        }
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(config, CONFIG),
        "layers": [layer.descriptor() for layer in layers],
    }
    return config, as_json(
        manifest if annotations is None else manifest | {"annotations": dict(annotations)}
    )


def descriptor(content: bytes | Path, media_type: str) -> dict[str, Any]:
    """A blob, as a manifest or an index names it."""
    return {"mediaType": media_type, "digest": digest_of(content), "size": _size_of(content)}


def _entry(
    name: str, mode: int, *, type: bytes = tarfile.REGTYPE, size: int = 0, linkname: str = ""
) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.type, entry.size, entry.linkname = mode, type, size, linkname
    return entry


def _size_of(content: bytes | Path) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _relative(path: str) -> str:
    return str(PurePosixPath(path)).lstrip("/")


def _parents(path: str) -> list[str]:
    return [str(parent) for parent in PurePosixPath(_relative(path)).parents if parent.name]


def as_json(value: Mapping[str, Any]) -> bytes:
    """JSON that is the same for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
