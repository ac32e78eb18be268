"""Sends blobs and manifests to an OCI registry over plain HTTP: bytes, or files in pieces."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

from localcluster.errors import ClusterError

TIMEOUT = 60.0
"""Seconds for one request; the largest carries some 100 MB over loopback."""


def upload(base: str, blob: bytes | Path) -> None:
    """Store a blob under its digest, unless the registry has it.

    `base` is the repository's address, `http://host:port/v2/repository`.

    Raises:
        ClusterError: the registry cannot be reached or refused the blob.
    """
    digest = digest_of(blob)
    if _request("HEAD", f"{base}/blobs/{digest}", accept_missing=True).status == 200:
        return
    begun = _request("POST", f"{base}/blobs/uploads/")
    location = urljoin(base, begun.headers["Location"])
    separator = "&" if urlsplit(location).query else "?"
    target = f"{location}{separator}{urlencode({'digest': digest})}"
    _request("PUT", target, blob, "application/octet-stream")


def put_manifest(base: str, tag: str, manifest: bytes, media_type: str) -> None:
    """Store a manifest under a tag; the blobs that it names must be there already."""
    _request("PUT", f"{base}/manifests/{tag}", manifest, media_type)


def digest_of(content: bytes | Path) -> str:
    """The digest `sha256:<hex>` of bytes or of a file, which is read in pieces."""
    with opened(content) as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


@contextlib.contextmanager
def opened(content: bytes | Path) -> Iterator[io.BufferedIOBase]:
    """The content as a stream, closed at the end."""
    with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as stream:
        yield stream


def size_of(content: bytes | Path) -> int:
    """The content's size in bytes."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _request(
    method: str,
    url: str,
    body: bytes | Path = b"",
    content_type: str = "",
    *,
    accept_missing: bool = False,
) -> http.client.HTTPResponse:
    """Make one request and read its answer to the end; 404 is an error unless it may be."""
    parts = urlsplit(url)
    target = parts._replace(scheme="", netloc="").geturl()
    headers = {"Content-Length": str(size_of(body))}
    if content_type:
        headers["Content-Type"] = content_type
    connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT)
    try:
        with contextlib.closing(connection), opened(body) as stream:
            connection.request(method, target, stream, headers)
            response = connection.getresponse()
            detail = response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise ClusterError(f"registry {parts.netloc} did not answer: {error!r}") from error
    if response.status >= 400 and not (accept_missing and response.status == 404):
        status = f"{response.status} {response.reason}"
        raise ClusterError(f"registry {parts.netloc}: {method} {target}: {status}", detail=detail)
    return response
