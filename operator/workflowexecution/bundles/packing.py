"""Packs a bundle as the image that Tekton's resolver reads: each object is a file in its own layer.

The image has the media types, annotations, configuration and contents of ``tkn bundle push``. Only
the compression differs: layers are stored without it, so that the digest is the same with each
version of zlib. An object has only a few kilobytes.
Source: Tekton's bundle contract, and the code of ``tkn bundle push``.
"""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from workflowexecution.bundles.folder import Object, key_of
from workflowexecution.core.text import is_printable

MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_BLOCK: Final = tarfile.BLOCKSIZE
# Fields of a tar header; Go writes a device number for plain files, too.
_CHECKSUM: Final = slice(148, 156)
_DEVICE: Final = slice(329, 345)
# Go's JSON encoder escapes characters that could end a script in a web page.
_ESCAPES: Final = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob of a registry: bytes with a media type."""

    content: bytes
    media_type: str

    @property
    def digest(self) -> str:
        """``sha256:`` and 64 hex digits."""
        return digest_of(self.content)

    def descriptor(self) -> Object:
        """Its entry in a manifest."""
        size = len(self.content)
        return {"mediaType": self.media_type, "size": size, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class Image:
    """A packed bundle: its layers, configuration and manifest."""

    layers: tuple[Blob, ...]
    config: Blob
    manifest: Blob


def pack(objects: Iterable[Object]) -> Image:
    """Pack Tekton objects in this order; the same objects always give the same bytes."""
    items = list(objects)
    archives = [_archive(item) for item in items]
    layers = tuple(
        Blob(gzip.compress(archive, compresslevel=0, mtime=0), _LAYER) for archive in archives
    )
    config = Blob(_dump(_configuration(archives)), _CONFIG)
    entries = [
        layer.descriptor() | {"annotations": _annotations(item)}
        for layer, item in zip(layers, items, strict=True)
    ]
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor(),
        "layers": entries,
    }
    return Image(layers, config, Blob(_dump(manifest), MANIFEST))


def render(objects: Sequence[Object]) -> str:
    """The objects as plain YAML, for ``tkn bundle push -f -``, ``kubectl`` or people."""

    class Dumper(yaml.SafeDumper):
        """Writes scripts as block scalars, and no aliases."""

        def ignore_aliases(self, data: object) -> bool:
            return True

    def block(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
        style = "|" if "\n" in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, block)

    def dump(*, allow_unicode: bool) -> str:
        return yaml.dump_all(
            objects, Dumper=Dumper, sort_keys=False, width=100, allow_unicode=allow_unicode
        )

    text = dump(allow_unicode=True)
    return text if is_printable(text) else dump(allow_unicode=False)


def digest_of(content: bytes | Path) -> str:
    """The digest of bytes or of a file, as registries write it."""
    with opened(content) as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def opened(content: bytes | Path) -> io.BufferedIOBase:
    """Bytes or a file as a stream, which the caller closes."""
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def _archive(item: Object) -> bytes:
    """A tar archive of one file, with the header and end that Go writes."""
    content = _dump(item, sort_keys=True)
    entry = tarfile.TarInfo(key_of(item)[1])
    entry.size, entry.mode = len(content), 0o600
    header = bytearray(entry.tobuf(tarfile.USTAR_FORMAT))
    header[_DEVICE] = b"0000000\0" * 2
    header[_CHECKSUM] = b" " * 8
    header[_CHECKSUM] = b"%06o\0 " % sum(header)
    return bytes(header) + content + bytes(-len(content) % _BLOCK + 2 * _BLOCK)


def _annotations(item: Object) -> dict[str, str]:
    kind, name = key_of(item)
    return {
        "dev.tekton.image.apiVersion": str(item.get("apiVersion", "")).rpartition("/")[2],
        "dev.tekton.image.kind": kind.lower(),
        "dev.tekton.image.name": name,
    }


def _configuration(archives: list[bytes]) -> Object:
    return {
        "architecture": "",
        "created": "1970-01-01T00:00:00Z",
        "history": [{"created": "0001-01-01T00:00:00Z"} for _ in archives],
        "os": "",
        "rootfs": {"type": "layers", "diff_ids": [digest_of(archive) for archive in archives]},
        "config": {},
    }


def _dump(value: Any, *, sort_keys: bool = False) -> bytes:
    text = json.dumps(value, sort_keys=sort_keys, separators=(",", ":"), ensure_ascii=False)
    return text.translate(_ESCAPES).encode()
