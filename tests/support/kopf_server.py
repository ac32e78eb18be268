"""An API server for kopf, played line by line, and the changes that a watch delivers."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from workflowexecution.kube.access import RequestTally
from workflowexecution.kube.kopf_operator import KopfOperator
from workflowexecution.kube.watch_tap import Inbox, WatchTap

WITHIN_S = 15
PREFIX = "/k8s/clusters/one"
PATH = "/apis/example.com/v1/namespaces/ns/things"


def resource(name: str, kind: str) -> dict[str, Any]:
    verbs = ["list", "watch", "patch"]
    return {"name": name, "kind": kind, "singularName": "", "namespaced": True, "verbs": verbs}


def group(name: str) -> dict[str, Any]:
    return {"name": name, "versions": [{"version": "v1"}], "preferredVersion": {"version": "v1"}}


DISCOVERY: dict[str, dict[str, Any]] = {
    "/api": {"versions": ["v1"]},
    "/api/v1": {"resources": [resource("namespaces", "Namespace"), resource("events", "Event")]},
    "/apis": {"groups": [group("example.com"), group("apiextensions.k8s.io")]},
    "/apis/example.com/v1": {"resources": [resource("things", "Thing")]},
    "/apis/apiextensions.k8s.io/v1": {
        "resources": [resource("customresourcedefinitions", "CustomResourceDefinition")]
    },
}


def line(kind: str, version: int, name: str = "one") -> bytes:
    meta = {"name": name, "resourceVersion": str(version)}
    return json.dumps({"type": kind, "object": {"metadata": meta}}).encode() + b"\n"


def error_line(code: int, reason: str) -> bytes:
    return (
        json.dumps({"type": "ERROR", "object": {"code": code, "reason": reason}}).encode() + b"\n"
    )


@dataclass
class Server:
    """Answers the n-th watch with the n-th script, and holds the last one open."""

    version: int = 1
    scripts: list[list[bytes] | int] = field(default_factory=list)
    discovery: dict[str, list[int | bytes]] = field(default_factory=dict)
    odd_lists: list[bytes] = field(default_factory=list)
    lists: int = 0
    asked: list[str] = field(default_factory=list)
    watched_from: list[str] = field(default_factory=list)
    is_over: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(PREFIX)
        self.asked.append(f"{request.method} {path}")
        if path != PATH:
            return self.discover(path)
        if request.query.get("watch") != "true":
            self.lists += 1
            assert request.query["limit"] == "1"
            if self.odd_lists:
                return web.Response(body=self.odd_lists.pop(0))
            meta = {"resourceVersion": str(self.version), "continue": "more"}
            one = {"metadata": {"name": "listed", "uid": "listed", "resourceVersion": "1"}}
            return web.json_response({"metadata": meta, "items": [one]})
        self.watched_from.append(request.query["resourceVersion"])
        script = self.scripts.pop(0)
        if isinstance(script, int):
            return web.json_response({"message": f"told {script}"}, status=script)
        response = web.StreamResponse()
        await response.prepare(request)
        for part in script:
            await response.write(part)
        if not self.scripts:
            await self.is_over.wait()
        return response

    def discover(self, path: str) -> web.Response:
        script = self.discovery.get(path)
        if not script:
            return web.json_response(DISCOVERY[path])
        told = script.pop(0)
        return web.Response(status=told) if isinstance(told, int) else web.Response(body=told)


@dataclass
class Seen:
    """The events that were delivered, and the number of gaps that were reported."""

    events: list[tuple[str, str]] = field(default_factory=list)
    gaps: int = 0
    calls: int = 0

    def deliver(self, kind: str, raw: dict[str, Any]) -> None:
        self.events.append((kind, raw["metadata"]["name"]))

    def on_gap(self) -> None:
        self.gaps += 1


@dataclass
class Stream:
    operator: KopfOperator
    tap: WatchTap
    inbox: Inbox
    tally: RequestTally

    @property
    def health(self) -> Any:
        return self.tap.health

    async def has_begun(self) -> None:
        await self.tap.has_begun.wait()


@dataclass
class Memo:
    login: Callable[[], Any]
    inbox: Inbox
    seen: Seen

    def __copy__(self) -> "Memo":
        return self
