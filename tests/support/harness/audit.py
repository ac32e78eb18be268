"""The API server's audit log: who asked for what, and which role let them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from localcluster.cluster import Cluster, Object

_ALLOWED_BY = re.compile(r'of (\w+) "([^"]+)" to ')


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One verb on one resource, by the role that gives it; `resource` holds its subresource."""

    role: str
    group: str
    resource: str
    verb: str


def mark(cluster: Cluster) -> int:
    """The present moment, to ask about what comes after it."""
    return cluster.audit_log.stat().st_size


def events_of(cluster: Cluster, user: str, since: int) -> Iterator[Object]:
    """The requests of a user that were answered or, for a watch, begun."""
    with cluster.audit_log.open("rb") as log:
        log.seek(since)
        for line in log:
            # The last line may be half written.
            if line.endswith(b"\n"):
                event: Object = json.loads(line)
                if event["user"]["username"] == user and "objectRef" in event:
                    yield event


def used(events: Iterable[Object]) -> set[Right]:
    """The rights that were made use of; `role` is empty where a request was refused."""
    return {_right_of(event) for event in events}


def granted(manifests: Iterable[Object]) -> set[Right]:
    """Every right of the roles among some manifests, one by one."""
    return {
        Right(f"{item['kind']} {item['metadata']['name']}", group, resource, verb)
        for item in manifests
        if item["kind"] in ("Role", "ClusterRole")
        for rule in item["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def _right_of(event: Object) -> Right:
    what, said = event["objectRef"], event["annotations"]
    allowed = _ALLOWED_BY.search(said.get("authorization.k8s.io/reason", ""))
    role = f"{allowed[1]} {allowed[2]}" if allowed else ""
    resource = "/".join(filter(None, (what["resource"], what.get("subresource"))))
    return Right(role, what.get("apiGroup", ""), resource, event["verb"])
