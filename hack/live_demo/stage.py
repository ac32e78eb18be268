"""The objects of the story in the cluster: the workload and the executions."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import kubernetes.client
import kubernetes.config
import kubernetes.utils

from live_demo.ground import Ground, let_runs_remediate
from localcluster import eventually

GROUP, VERSION, PLURAL = "workflowexecution.kubernaut.ai", "v1alpha1", "workflowexecutions"
# On a user's own cluster another one each time: the cooldown of the last showing still holds.
NAMESPACE = "demo-shop" + (f"-{secrets.token_hex(2)}" if os.environ.get("DEMO_KUBECONFIG") else "")
ENDED = ("Completed", "Failed", "Skipped")


class Stage:
    """Creates executions and knows what was last seen of them."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._client = kubernetes.config.new_client_from_config(str(ground.kubeconfig))
        self._core = kubernetes.client.CoreV1Api(self._client)
        self._objects = kubernetes.client.CustomObjectsApi(self._client)
        self._seen: dict[str, Mapping[str, Any]] = {}

    @contextmanager
    def set(self, *, is_kept: bool = False) -> Iterator[None]:
        """Have the namespace and the workload for the block; after it, too, where they are kept."""
        self._create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        try:
            let_runs_remediate(self._ground, NAMESPACE)
            for name in ("payment-api", "cart"):
                self._create(_deployment(name, self._ground.shell))
            yield
        finally:
            if not is_kept:
                self._clear()

    def create(self, name: str, workflow: str, target: str) -> None:
        """Create one execution, as an orchestrator would."""
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "WorkflowExecution",
            "metadata": {"name": name},
            "spec": {
                "remediationRequestRef": {"name": f"remediate-{name}"},
                "workflowRef": {
                    "workflowId": workflow,
                    "version": "1.0.0",
                    "containerImage": self._ground.bundles[workflow],
                },
                "targetResource": target,
                "executionConfig": {"timeout": "3m"},
            },
        }
        self._objects.create_namespaced_custom_object(GROUP, VERSION, NAMESPACE, PLURAL, body)

    def look(self) -> None:
        """See how all executions are."""
        self._seen = self._list()

    def status(self, name: str) -> Mapping[str, Any]:
        """The status last seen; empty where there is none yet."""
        status: Mapping[str, Any] = self._seen.get(name, {}).get("status", {})
        return status

    def phase(self, name: str) -> str:
        """The phase last seen; empty where there is none yet."""
        return str(self.status(name).get("phase", ""))

    def exists(self, name: str) -> bool:
        """Whether it has been created."""
        return name in self._seen

    def has_ended(self, name: str) -> bool:
        """Whether its phase is one that never changes again."""
        return self.phase(name) in ENDED

    def _list(self) -> dict[str, Mapping[str, Any]]:
        found: Any = self._objects.list_namespaced_custom_object(GROUP, VERSION, NAMESPACE, PLURAL)
        return {item["metadata"]["name"]: item for item in found["items"]}

    def _is_empty(self) -> bool:
        return not self._list()

    def _create(self, body: dict[str, Any]) -> None:
        kubernetes.utils.create_from_dict(self._client, body)

    def _clear(self) -> None:
        """Remove the executions while the operator still runs to let them go, then the rest."""
        self._objects.delete_collection_namespaced_custom_object(GROUP, VERSION, NAMESPACE, PLURAL)
        eventually(self._is_empty, 150, "the executions have gone")
        self._core.delete_namespace(NAMESPACE)


def _deployment(name: str, image: str) -> dict[str, Any]:
    container = {
        "name": "app",
        "image": image,
        "command": ["/bin/sh", "-c", "trap exit TERM; while :; do sleep 1; done"],
    }
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
            },
        },
    }
