"""Objects put straight into the cluster's etcd, many at once, as the API server would store them.

Ten thousand objects with their statuses are there in seconds; the API server learns of them by its
own watch of etcd, as it does of those that another API server has written.
"""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Iterable
from itertools import islice
from typing import Any

from benchmarks import processes
from localcluster import Cluster

_GROUPS = {"workflowexecutions": "workflowexecution.kubernaut.ai", "pipelineruns": "tekton.dev"}
# etcd takes at most 128 operations and 1.5 MB in one request.
_AT_ONCE = 50


class Etcd:
    """The etcd of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        pid = processes.find("etcd", f"--data-dir={cluster.state}")
        listen = "--listen-client-urls="
        (self._url,) = (
            word.removeprefix(listen)
            for word in processes.arguments(pid)
            if word.startswith(listen)
        )
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def read(self, plural: str, namespace: str, name: str) -> str:
        """An object as it is stored: JSON."""
        answer = self._call("range", {"key": _encode(key_of(plural, namespace, name))})
        return base64.b64decode(answer["kvs"][0]["value"]).decode()

    def write(self, objects: Iterable[tuple[str, str]]) -> None:
        """Store many objects: pairs of key and JSON."""
        left = iter(objects)
        while some := list(islice(left, _AT_ONCE)):
            puts = [
                {"requestPut": {"key": _encode(key), "value": _encode(text)}} for key, text in some
            ]
            self._call("txn", {"success": puts})

    def _call(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self._url}/v3/kv/{what}", data=json.dumps(body).encode(), method="POST"
        )
        with self._opener.open(request, timeout=60) as answer:
            told: dict[str, Any] = json.loads(answer.read())
        return told


def key_of(plural: str, namespace: str, name: str) -> str:
    """Where the API server stores a custom resource."""
    return f"/registry/{_GROUPS[plural]}/{plural}/{namespace}/{name}"


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
