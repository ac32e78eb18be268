"""A client for registries, with the credentials that docker and similar tools have stored.

oras finds the credentials (``~/.docker/config.json``, credential helpers) and sends the requests.
Manifests are sent as the packed bytes, because their digest pins a bundle.
"""

import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests
from oras.container import Container
from oras.provider import Registry

from workflowexecution.bundles.folder import BundleCommandError, Object
from workflowexecution.bundles.packing import MANIFEST, Image, digest_of, opened

# Docker Hub has one name in references and another for its registry.
_HOSTS: Final = {"docker.io": "registry-1.docker.io"}
_IMAGES: Final = (MANIFEST, "application/vnd.oci.image.manifest.v1+json")
_INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_ACCEPTED: Final = ", ".join((*_IMAGES, *_INDEXES))
# The image that Tekton's resolver selects from an index, on all platforms.
_TAKEN: Final = {"os": "linux", "architecture": "amd64"}
_TIMEOUT_S: Final = 60.0
_NO_CREDENTIALS: Final = (
    "wants credentials and none are stored for it; log in with `docker login`, or have a "
    "credential helper for this registry"
)


class RegistryError(BundleCommandError):
    """A registry refused a request or did not answer; the text names both and a fix."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of a pushed bundle, by the annotations of its layer."""

    api_version: str
    kind: str
    name: str
    digest: str


class BundleRegistry:
    """The repository of one reference, such as ``registry.example.com/workflows/restart:1.0``."""

    def __init__(self, reference: str, *, plain_http: bool = False) -> None:
        """Find the credentials for the reference's registry, and its way to authenticate.

        Args:
            reference: with a tag or a digest, or without for ``latest``.
            plain_http: use HTTP without TLS; a registry on loopback always does.
        Raises: ValueError where the reference is not valid; RegistryError where the registry does
            not answer, or needs credentials that are not stored.
        """
        self._at = Container(reference)
        insecure = plain_http or _is_loopback(self._at.registry)
        host = _HOSTS.get(self._at.registry, self._at.registry)
        self._api = f"{'http' if insecure else 'https'}://{host}/v2/"
        backend = "basic" if self._wants_password() else "token"
        self._registry = Registry(
            hostname=self._at.registry, insecure=insecure, auth_backend=backend
        )
        self._registry.auth.load_configs(self._at, configs=_stored_elsewhere())
        if backend == "basic" and not hasattr(self._registry.auth, "_basic_auth"):
            raise RegistryError(f"registry {self._at.registry} {_NO_CREDENTIALS}")

    def push(self, image: Image) -> str:
        """Store a packed bundle.

        Returns: the reference with tag and digest, for ``workflowRef.containerImage``.
        Raises: RegistryError.
        """
        for blob in (*image.layers, image.config):
            self.store(blob.content, blob.digest)
        return self.store_manifest(image.manifest.content, image.manifest.media_type)

    def store(self, content: bytes | Path, digest: str) -> None:
        """Upload a blob, unless the registry has it; a file is streamed.

        Raises: RegistryError.
        """
        if self._answer("HEAD", f"blobs/{digest}").ok:
            return
        begun = self._request("POST", "blobs/uploads/")
        place = requests.compat.urljoin(begun.url, begun.headers["Location"])
        mark = "&" if "?" in place else "?"
        target = f"{place}{mark}digest={digest}"
        with opened(content) as body:
            self._check(self._send("PUT", target, body, "application/octet-stream"))

    def store_manifest(self, content: bytes, media_type: str) -> str:
        """Upload a manifest under the tag of the reference; its blobs must be stored already.

        Returns: the reference with tag and digest. Raises: RegistryError.
        """
        tag = self._at.tag or "latest"
        self._request("PUT", f"manifests/{tag}", content, media_type)
        return f"{self._at.registry}/{self._at.api_prefix}:{tag}@{digest_of(content)}"

    def manifest(self, digest: str = "") -> tuple[Object, str]:
        """The manifest of the reference or of a digest, and its digest. Raises: RegistryError."""
        wanted = digest or self._at.digest or self._at.tag or "latest"
        answer = self._request("GET", f"manifests/{wanted}", accept=_ACCEPTED)
        content: Object = json.loads(answer.content)
        return content, digest_of(answer.content)

    def image_in_index(self) -> str:
        """The digest of the image that Tekton selects from an OCI index; empty for an image.

        Raises: RegistryError, also where the index has no such image.
        """
        content, _ = self.manifest()
        if "manifests" not in content:
            return ""
        for item in content["manifests"]:
            platform = item.get("platform") or _TAKEN
            if _TAKEN.items() <= platform.items():
                return str(item["digest"])
        raise RegistryError(f"{self._at} is an OCI index without an image for linux/amd64")

    def entries(self) -> list[Entry]:
        """The objects of the bundle. Raises: RegistryError."""
        layers = self.manifest(self.image_in_index())[0].get("layers", [])
        return [
            Entry(
                api_version=known.get("dev.tekton.image.apiVersion", ""),
                kind=known.get("dev.tekton.image.kind", ""),
                name=known.get("dev.tekton.image.name", ""),
                digest=layer["digest"],
            )
            for layer in layers
            for known in [layer.get("annotations") or {}]
        ]

    def blob(self, digest: str) -> bytes:
        """A stored blob. Raises: RegistryError."""
        content: bytes = self._request("GET", f"blobs/{digest}").content
        return content

    def _wants_password(self) -> bool:
        """Whether the registry uses basic authentication instead of tokens."""
        try:
            answer = requests.get(self._api, timeout=_TIMEOUT_S)
        except requests.RequestException as error:
            raise RegistryError(f"registry {self._at.registry} did not answer: {error}") from error
        return answer.headers.get("Www-Authenticate", "").lower().startswith("basic")

    def _request(
        self, method: str, path: str, body: bytes = b"", content_type: str = "", accept: str = "*/*"
    ) -> requests.Response:
        return self._check(self._answer(method, path, body, content_type, accept))

    def _answer(
        self, method: str, path: str, body: bytes = b"", content_type: str = "", accept: str = "*/*"
    ) -> requests.Response:
        url = f"{self._api}{self._at.api_prefix}/{path}"
        return self._send(method, url, body, content_type, accept)

    def _send(
        self,
        method: str,
        url: str,
        body: bytes | io.BufferedIOBase,
        content_type: str,
        accept: str = "*/*",
    ) -> requests.Response:
        headers = {"Accept": accept} | ({"Content-Type": content_type} if content_type else {})
        try:
            answer: requests.Response = self._registry.do_request(
                url, method, data=body, headers=headers
            )
        except requests.RequestException as error:
            raise RegistryError(f"registry {self._at.registry} did not answer: {error}") from error
        except (ValueError, AttributeError) as error:
            # oras raises these where it has no credentials after a 401.
            raise RegistryError(f"registry {self._at.registry} {_NO_CREDENTIALS}") from error
        return answer

    def _check(self, answer: requests.Response) -> requests.Response:
        if answer.ok:
            return answer
        hint = {
            401: "; log in with `docker login`, or have a credential helper for this registry",
            403: "; the credentials in ~/.docker/config.json may not do this",
            404: "; check the reference",
        }.get(answer.status_code, "")
        said = " ".join(answer.text.split())[:300]
        raise RegistryError(
            f"registry {self._at.registry}: {answer.request.method} {answer.request.path_url}: "
            f"{answer.status_code} {said}{hint}"
        )


def _is_loopback(registry: str) -> bool:
    host = registry.rpartition(":")[0] or registry
    return host == "localhost" or host.startswith("127.") or host == "[::1]"


def _stored_elsewhere() -> list[str]:
    """The configuration file in DOCKER_CONFIG, if set; oras itself reads the default one."""
    path = Path(os.environ.get("DOCKER_CONFIG", "")) / "config.json"
    return [str(path)] if "DOCKER_CONFIG" in os.environ and path.exists() else []
