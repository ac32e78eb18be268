"""The requests that a user with all rights can make in a namespace.

Each is a request that an API server without nodes answers: for a pod and a Deployment, both named
app, that nothing runs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from localcluster.cluster import ApiError, Cluster, Object

CONNECTIONS = ("/exec", "/attach", "/portforward", "/proxy")


@dataclass(frozen=True)
class Attack:
    """A request about a namespace.

    `path` is `API:REST` for what is in it, e.g. `/api/v1:pods/app`, or what follows its own path.
    """

    method: str
    path: str
    body: Object | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path.partition(':')[2] or self.path or 'namespace'}"

    def said(self, who: Cluster, namespace: str) -> str:
        """The refusal of the request, in a dry run; empty where it is accepted."""
        place = f"/api/v1/namespaces/{namespace}"
        root, _, rest = self.path.partition(":")
        path = f"{place}{root}" if not rest else f"{root}/namespaces/{namespace}/{rest}"
        return self.said_at(who, path, namespace)

    def said_at(self, who: Cluster, path: str, namespace: str = "") -> str:
        """The same, at this very path."""
        # A connection cannot be tried: where it is let through, there is nobody at its other end.
        query = "" if path.endswith(CONNECTIONS) else "?dryRun=All"
        content = {} if self.method != "PUT" else {"content_type": "application/json"}
        sent = json.loads(json.dumps(self.body).replace("NAMESPACE", namespace))
        try:
            who.request(self.method, path + query, sent, **content)
        except ApiError as error:
            return str(error)
        return ""


def body(kind: str, api: str = "v1", **fields: Any) -> Object:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "eve"}, **fields}


APPS, CORE, RBAC = "/apis/apps/v1", "/api/v1", "/apis/rbac.authorization.k8s.io/v1"
RESTART = {"spec": {"template": {"metadata": {"annotations": {"restarted": "now"}}}}}
ROLE = {"kind": "ClusterRole", "name": "cluster-admin", "apiGroup": "rbac.authorization.k8s.io"}
EVICTION = {**body("Eviction", "policy/v1"), "metadata": {"name": "app"}}
BINDING = {**body("Binding"), "metadata": {"name": "app"}}
TARGET = {"apiVersion": "v1", "kind": "Node", "name": "node"}
# As Pod Security wants it where it is the strictest.
CLOSED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
DEBUG = {
    "spec": {"ephemeralContainers": [{"name": "eve", "image": "eve", "securityContext": CLOSED}]}
}
RUN = body("PipelineRun", "tekton.dev/v1", spec={"pipelineRef": {"name": "none"}})
OPEN = {"metadata": {"labels": {"kubernaut.ai/keep-runner-out": None}}}
ALL = [
    Attack("PATCH", f"{APPS}:deployments/app", RESTART),
    Attack("PATCH", f"{APPS}:deployments/app/scale", {"spec": {"replicas": 0}}),
    Attack("PATCH", f"{APPS}:deployments/app/status", {"status": {"replicas": 0}}),
    Attack("DELETE", f"{APPS}:deployments/app"),
    Attack("DELETE", f"{APPS}:deployments"),
    Attack("PATCH", f"{CORE}:pods/app/ephemeralcontainers", DEBUG),
    Attack("POST", f"{CORE}:pods/app/eviction", EVICTION),
    Attack("POST", f"{CORE}:pods/app/binding", {**BINDING, "target": TARGET}),
    *(Attack("POST", f"{CORE}:pods/app{one}") for one in CONNECTIONS),
    *(Attack("GET", f"{CORE}:pods/app{one}") for one in CONNECTIONS),
    Attack("DELETE", f"{CORE}:pods/app"),
    Attack("DELETE", f"{CORE}:pods"),
    Attack("POST", f"{CORE}:serviceaccounts/default/token", {"spec": {}}),
    Attack("POST", f"{CORE}:secrets", body("Secret")),
    Attack("POST", f"{CORE}:configmaps", body("ConfigMap")),
    Attack("POST", f"{RBAC}:rolebindings", body("RoleBinding", RBAC[6:], roleRef=ROLE)),
    Attack("POST", "/apis/tekton.dev/v1:pipelineruns", RUN),
    Attack("DELETE", ""),
    Attack("PATCH", "", OPEN),
    Attack("PATCH", "/status", {"status": {}}),
    Attack("PUT", "/finalize", {**body("Namespace"), "metadata": {"name": "NAMESPACE"}}),
]
