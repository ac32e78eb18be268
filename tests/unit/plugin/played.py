"""An API server that holds objects, refuses what a test names, and commands that are run on it."""

from __future__ import annotations

import io
import json
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import yaml

from workflowexecution.kube.client import OF_SERVER
from workflowexecution.plugin.app import main

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """A request that the server was sent; `path` is without its query."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), hash=False, compare=False)
    body: Any = field(default=None, hash=False, compare=False)


@dataclass(frozen=True, slots=True)
class Place:
    """The part of the API that a path names; `name` is empty for a list."""

    group: str
    namespace: str
    resource: str
    name: str

    @classmethod
    def of(cls, path: str) -> Place:
        """Read a path of the API server."""
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if parts[0] not in ("api", "apis") or len(parts) < 3:
            return cls("", "", "", "")
        group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
        namespace = ""
        if len(rest) > 2 and rest[0] == "namespaces":
            namespace, rest = rest[1], rest[2:]
        resource, name, sub = [*rest, "", "", ""][:3]
        return cls(group, namespace, "/".join(filter(None, (resource, sub))), name)


def is_selected(item: Object, query: Mapping[str, str]) -> bool:
    """Whether the selectors of a query select an object."""
    labels = item.get("metadata", {}).get("labels") or {}
    terms = re.findall(r"(?:\([^)]*\)|[^,])+", query.get("labelSelector", ""))
    fields = [term for term in query.get("fieldSelector", "").split(",") if term]
    return all(_has_label(labels, term) for term in terms) and all(
        _has_field(item, term) for term in fields
    )


def _has_label(labels: Mapping[str, str], term: str) -> bool:
    if found := re.fullmatch(r"(\S+) in \((.*)\)", term):
        return labels.get(found[1]) in found[2].split(",")
    if "=" in term:
        key, _, value = term.partition("=")
        return labels.get(key) == value
    return (term.lstrip("!") in labels) is not term.startswith("!")


def _has_field(item: Object, term: str) -> bool:
    key, _, wanted = term.partition("=")
    value: Any = item
    for part in key.removesuffix("!").split("."):
        value = value.get(part, "") if isinstance(value, dict) else ""
    return (str(value) == wanted) is not key.endswith("!")


class Server:
    """Answers lists, reads and writes; each answer of `answers` goes before what is held.

    answers: by method and path: a status and an object, or a text.
    by_proxy: paths that a proxy in front of it answers.
    """

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.answers: dict[tuple[str, str], tuple[int, Object | str]] = {}
        self.by_proxy: set[str] = set()
        self.asked: list[Request] = []
        self.address = ""

    def answer(self, request: Request) -> tuple[int, Object | str]:
        """The answer to a request."""
        self.asked.append(request)
        if found := self.answers.get((request.method, request.path)):
            return found
        if request.method == "POST":
            return 201, self._created(request)
        if request.path in self.objects:
            return 200, self.objects[request.path]
        listed = self._listed(request)
        if listed is not None and request.method == "GET":
            return 200, {"metadata": {"resourceVersion": "1"}, "items": listed}
        return 404, not_found(request.path)

    def _listed(self, request: Request) -> list[Object] | None:
        """The objects of a list that are selected; None where the path is that of one object."""
        place = Place.of(request.path)
        if place.name or not place.resource:
            return None
        found = []
        for key, item in self.objects.items():
            one = Place.of(key)
            if (one.group, one.resource) == (place.group, place.resource) and (
                place.namespace in ("", one.namespace) and is_selected(item, request.query)
            ):
                found.append(item)
        return found

    def _created(self, request: Request) -> Object:
        body = dict(request.body)
        if body["kind"] == "SelfSubjectReview":
            return body | {"status": {"userInfo": {"username": "ada"}}}
        if body["kind"] == "SubjectAccessReview":
            return body | {"status": {"allowed": True}}
        meta = dict(body.get("metadata", {}))
        meta.setdefault("namespace", Place.of(request.path).namespace)
        meta.setdefault("name", f"{meta.get('generateName', '')}abcde")
        return body | {"metadata": meta | {"creationTimestamp": "2026-01-02T12:00:00Z"}}

    def refuse(self, request: Request) -> tuple[str, str, str]:
        """Refuse a request for want of a right; returns its verb, resource and namespace."""
        verb, resource, namespace, message = refusal_of(request)
        self.answers[request.method, request.path] = (
            403,
            {"kind": "Status", "reason": "Forbidden", "message": message},
        )
        return verb, resource, namespace


def refusal_of(request: Request) -> tuple[str, str, str, str]:
    """Verb, resource, namespace and message of the refusal of the API server's authorizer."""
    place = Place.of(request.path)
    user = 'User "eve" cannot'
    if not place.resource:
        message = f'forbidden: {user} get path "{request.path}"'
        return "get", request.path, "", message
    verbs = {"GET": "get" if place.name else "list", "POST": "create", "PATCH": "patch"}
    verb = verbs.get(request.method, "delete")
    kind = f"{place.resource}.{place.group}" if place.group else place.resource
    where = f'in the namespace "{place.namespace}"' if place.namespace else "at the cluster scope"
    what = f'resource "{place.resource}" in API group "{place.group}" {where}'
    name = f' "{place.name}"' if place.name else ""
    return verb, kind, place.namespace, f"{kind}{name} is forbidden: {user} {verb} {what}"


def not_found(path: str) -> Object:
    """The Status for an object that is not there."""
    place = Place.of(path)
    kind = f"{place.resource}.{place.group}" if place.group else place.resource
    message = f'{kind} "{place.name}" not found'
    return {"kind": "Status", "reason": "NotFound", "message": message}


@contextmanager
def serving(server: Server) -> Iterator[None]:
    """Have the server answer on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body of an answer leave together, or each waits for an acknowledgement.
        wbufsize = -1
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            url = urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            query, headers = dict(parse_qsl(url.query)), tuple(self.headers.items())
            request = Request(self.command, url.path, query, headers, body)
            status, told = server.answer(request)
            text = told if isinstance(told, str) else json.dumps(told)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            if request.path not in server.by_proxy:
                self.send_header(OF_SERVER, "an-id")
            self.end_headers()
            self.wfile.write(text.encode())
            self.wfile.flush()

        do_GET = do_POST = do_PATCH = do_DELETE = _answer

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    class Http(ThreadingHTTPServer):
        daemon_threads = True
        # Doctor asks for many rights at once.
        request_queue_size = 128

    http = Http(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.address = f"http://127.0.0.1:{http.server_port}"
    try:
        yield
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


@dataclass(frozen=True, slots=True)
class Told:
    """The exit status of a command, and its output."""

    status: int
    out: str
    err: str

    @property
    def all(self) -> str:
        """Both outputs, with single spaces."""
        return " ".join(f"{self.out}\n{self.err}".split())


@dataclass(frozen=True, slots=True)
class Terminal:
    """Runs commands on a server, in this process."""

    server: Server
    kubeconfig: Path

    def ask(self, *arguments: str) -> Told:
        """Run a command with the kubeconfig of the server; its output is not a terminal."""
        out, err, status = io.StringIO(), io.StringIO(), 0
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main([*arguments])
            except SystemExit as ended:
                status = int(ended.code or 0)
        return Told(status, out.getvalue(), err.getvalue())

    def requests_of(self, *arguments: str) -> list[Request]:
        """The requests of a command, each once."""
        self.server.asked.clear()
        self.ask(*arguments)
        return list(dict.fromkeys(self.server.asked))


@contextmanager
def terminal_on(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    """A kubeconfig of the server, with namespace team-a, as the current one."""
    with serving(server):
        file = folder / "kubeconfig"
        file.write_text(
            yaml.safe_dump(
                {
                    "current-context": "it",
                    "contexts": [
                        {
                            "name": "it",
                            "context": {"cluster": "it", "user": "it", "namespace": "team-a"},
                        }
                    ],
                    "clusters": [{"name": "it", "cluster": {"server": server.address}}],
                    "users": [{"name": "it", "user": {"token": "secret"}}],
                }
            )
        )
        monkeypatch.setenv("KUBECONFIG", str(file))
        monkeypatch.setattr(sys, "argv", ["kubectl-wfe"])
        yield Terminal(server, file)
