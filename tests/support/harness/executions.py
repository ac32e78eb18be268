"""WorkflowExecutions for tests: a good one, with whatever a test wants to be different."""

from __future__ import annotations

import itertools
import secrets
from typing import Any

from localcluster.cluster import Object

API_VERSION = "workflowexecution.kubernaut.ai/v1alpha1"
IMAGE = "registry.example/workflows/restart:v1"
_numbers = itertools.count(1)
_session = secrets.token_hex(2)


def unique(prefix: str) -> str:
    """A name nobody else uses."""
    return f"{prefix}-{_session}-{next(_numbers)}"


def unique_target(kind: str = "Deployment") -> str:
    """A namespaced target that no other test knows."""
    return f"payment/{kind}/{unique('app')}"


def execution(
    target: str,
    *,
    name: str = "",
    namespace: str = "",
    workflow: str = "restart",
    **spec: Any,
) -> Object:
    """Build an execution; `spec` adds or replaces fields, None removes one."""
    full = {
        "remediationRequestRef": {"name": "request-1"},
        "workflowRef": {"workflowId": workflow, "version": "v1", "containerImage": IMAGE},
        "targetResource": target,
        **spec,
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "WorkflowExecution",
        "metadata": {"name": name or unique("wfe"), "namespace": namespace},
        "spec": {key: value for key, value in full.items() if value is not None},
    }


def name_of(item: Object) -> str:
    """Name of any object."""
    return str(item["metadata"]["name"])


def phase_of(item: Object) -> str:
    """Phase of an execution; empty where it has none yet."""
    return str(item.get("status", {}).get("phase", ""))


def condition_of(item: Object, kind: str) -> Object:
    """A condition of an object; empty where it is not there."""
    conditions = item.get("status", {}).get("conditions") or []
    return next((one for one in conditions if one["type"] == kind), {})
