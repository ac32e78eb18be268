"""One request to the API server as the proxy saw it, in the words of RBAC."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(slots=True, kw_only=True)
class Exchange:
    """A request and the status of its answer; `status` is 0 where none was given.

    url: path and query.
    authorization: the header by which the asker proves who it is.
    limit: how many objects a list may answer with at once; 0 stands for all.
    is_continued: whether a list is asked for from a place in it on.
    reply: the server's answer, for as long as faults are asked about it.
    """

    verb: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    user_agent: str
    body: bytes
    url: str = ""
    authorization: str = ""
    limit: int = 0
    is_continued: bool = False
    status: int = 0
    reply: bytes = b""

    @property
    def is_write(self) -> bool:
        """Whether it asks for a change; the settings that an operator publishes are none.

        Publishing goes on beside the work, and costs no execution a request.
        """
        return self.verb in _VERBS.values() and self.resource != "configmaps"

    @property
    def kind(self) -> str:
        """The verb and the kind, e.g. `patch workflowexecutions/status`."""
        what = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return f"{self.verb} {what}"

    @property
    def about(self) -> str:
        """Name of the object; for one to be created, the name in the body."""
        return self.name or str(self.json().get("metadata", {}).get("name", ""))

    def json(self) -> dict[str, Any]:
        """The body, decoded; empty where there is none."""
        return dict(json.loads(self.body)) if self.body else {}


def parse_exchange(
    method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
) -> Exchange:
    """Read a request as the API server's authorizer would."""
    parts = [part for part in path.split("/") if part]
    is_core = parts[:1] == ["api"]
    group = "" if is_core else "/".join(parts[1:2])
    rest = parts[2:] if is_core else parts[3:]
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource, name, subresource = [*rest, "", "", ""][:3]
    return Exchange(
        verb=_verb(method, query, name),
        group=group,
        resource=resource,
        subresource=subresource,
        namespace=namespace,
        name=name,
        user_agent=headers.get("User-Agent", ""),
        body=body,
        url=f"{path}?{urlencode(query)}",
        authorization=headers.get("Authorization", ""),
        limit=int(query.get("limit", 0)),
        is_continued="continue" in query,
    )


def _verb(method: str, query: Mapping[str, str], name: str) -> str:
    if method != "GET":
        return _VERBS[method]
    if query.get("watch") == "true":
        return "watch"
    return "get" if name else "list"
