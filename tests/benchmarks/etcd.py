"""Objects put straight into the cluster's etcd, many at once, as the API server would store them.

Ten thousand objects with their statuses are there in seconds; the API server learns of them by its
own watch of etcd, as it does of those that another API server has written.
"""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterable
from typing import Any

from benchmarks import processes
from localcluster import Cluster

_GROUPS = {"workflowexecutions": "workflowexecution.kubernaut.ai", "pipelineruns": "tekton.dev"}


class Etcd:
    """The etcd of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        pid = processes.find("etcd", f"--data-dir={cluster.state}")
        listen = "--listen-client-urls="
        (url,) = (
            word.removeprefix(listen)
            for word in processes.arguments(pid)
            if word.startswith(listen)
        )
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)

    def read(self, plural: str, namespace: str, name: str) -> str:
        """An object as it is stored: JSON."""
        answer = self._call("range", {"key": _encode(key_of(plural, namespace, name))})
        return base64.b64decode(answer["kvs"][0]["value"]).decode()

    def write(self, together: Iterable[Iterable[tuple[str, str]]]) -> None:
        """Store objects, pairs of key and JSON; those of one group in one transaction.

        No group may hold two of a kind: the API server expects a version of its own for each.
        """
        for group in together:
            puts = [
                {"requestPut": {"key": _encode(key), "value": _encode(text)}} for key, text in group
            ]
            self._call("txn", {"success": puts})

    def _call(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        self._connection.request("POST", f"/v3/kv/{what}", json.dumps(body))
        answer = self._connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text[:500]
        told: dict[str, Any] = json.loads(text)
        return told


def key_of(plural: str, namespace: str, name: str) -> str:
    """The key under which the API server stores a custom resource."""
    return f"/registry/{_GROUPS[plural]}/{plural}/{namespace}/{name}"


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
