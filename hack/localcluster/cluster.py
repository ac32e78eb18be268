"""A running cluster: its folders, how to reach it, and the logs it leaves."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from localcluster.programs import Tier

Object = dict[str, Any]

REQUEST_SECONDS = 30.0
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


class ApiError(RuntimeError):
    """The API server answered with an error; `code` is the HTTP status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True)
class Cluster:
    """A running cluster.

    `server` is the API server's URL, `token` an administrator's, `ca` the certificate to trust.
    `registry` is `host:port`, the same from this machine, Tekton's resolvers and the node; None
    at tier `api`. `programs` maps names such as `kubectl` to paths.
    """

    tier: Tier
    state: Path
    server: str
    token: str
    registry: str | None
    programs: dict[str, Path]

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of the administrator."""
        return self.state / "kubeconfig"

    @property
    def ca(self) -> Path:
        """Certificate of the authority that signed the API server's (PEM)."""
        return self.state / "pki/ca.crt"

    @property
    def logs(self) -> Path:
        """Folder with one `NAME.log` for each program."""
        return self.state / "logs"

    @property
    def audit_log(self) -> Path:
        """The API server's audit log: one JSON event per line, level Metadata."""
        return self.logs / "audit.log"

    @property
    def kubectl(self) -> Path:
        """A kubectl of the cluster's own version."""
        return self.programs["kubectl"]

    def request(
        self, method: str, path: str, body: Object | None = None, content_type: str = MERGE
    ) -> Any:
        """Send one request and return the decoded JSON, or the text of any other answer.

        Raises ApiError for an HTTP error, OSError where no server answers.
        """
        kind = "application/json" if method == "POST" else content_type
        request = urllib.request.Request(
            self.server + path,
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": kind},
        )
        try:
            return self._answer_to(request)
        except http.client.HTTPException as error:
            raise ConnectionError(f"{method} {path}: half an answer: {error!r}") from error

    def _answer_to(self, request: urllib.request.Request) -> Any:
        try:
            with self._opener.open(request, timeout=REQUEST_SECONDS) as answer:
                text = answer.read().decode()
                is_json = answer.headers.get_content_type() == "application/json"
        except urllib.error.HTTPError as error:
            with error:
                raise ApiError(error.code, error.read().decode()) from error
        return json.loads(text) if is_json else text

    def exists(self, path: str) -> bool:
        """Whether the object at `path` exists."""
        try:
            self.request("GET", path)
        except ApiError as error:
            if error.code == 404:
                return False
            raise
        return True

    def save(self) -> None:
        """Write this record into the state directory, whole or not at all."""
        record = {
            "tier": self.tier,
            "server": self.server,
            "token": self.token,
            "registry": self.registry,
            "programs": {name: str(path) for name, path in self.programs.items()},
        }
        part = self.state / ".cluster.json"
        part.write_text(json.dumps(record, indent=1))
        part.replace(record_path(self.state))

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        context = ssl.create_default_context(cafile=str(self.ca))
        # No proxy of the environment may stand between us and loopback.
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )


def record_path(state: Path) -> Path:
    """The file that `Cluster.save` writes."""
    return state / "cluster.json"


def load(state: Path) -> Cluster | None:
    """The cluster recorded in `state`, or None where none has become ready."""
    try:
        record = json.loads(record_path(state).read_text())
    except FileNotFoundError:
        return None
    return Cluster(
        tier=Tier(record["tier"]),
        state=state,
        server=record["server"],
        token=record["token"],
        registry=record["registry"],
        programs={name: Path(path) for name, path in record["programs"].items()},
    )


def write_kubeconfig(path: Path, server: str, ca: Path, token: str) -> Path:
    """Write a kubeconfig (readable by its owner only) that carries everything it needs."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "local", "cluster": {"server": server, "certificate-authority": str(ca)}}
        ],
        "users": [{"name": "user", "user": {"token": token}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "user"}}],
        "current-context": "local",
    }
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(config, file, indent=1)
    return path
