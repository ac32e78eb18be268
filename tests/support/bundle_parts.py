"""A bundle without any problem, as parts that a test changes before it writes them."""

import json
from pathlib import Path
from typing import Any

PINNED = f"registry.test/toolbox@sha256:{'a' * 64}"


def good_bundle() -> dict[str, Any]:
    """A bundle's parts, by the name of the file each goes into."""
    step = {
        "name": "act",
        "image": PINNED,
        "script": "#!/bin/sh\nexit 0\n",
        "computeResources": {"requests": {"memory": "8Mi"}, "limits": {"memory": "8Mi"}},
        "securityContext": {
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    params = [{"name": "TARGET_RESOURCE"}, {"name": "SIZE", "default": "1"}]
    return {
        "workflow.yaml": {
            "apiVersion": "tekton.dev/v1",
            "kind": "Pipeline",
            "metadata": {"name": "workflow"},
            "spec": {"params": params, "tasks": [{"name": "do", "taskSpec": {"steps": [step]}}]},
        },
        "parameters.json": {
            "type": "object",
            "properties": {"SIZE": {"type": "string", "pattern": "^[0-9]$", "default": "1"}},
            "additionalProperties": False,
        },
        "role.yaml": {"kind": "ClusterRole", "metadata": {"name": "kubernaut-one"}, "rules": []},
        "README.md": "# one",
    }


def write_bundle(folder: Path, parts: dict[str, Any]) -> Path:
    """Write the parts into a new folder, which is returned."""
    folder.mkdir()
    for name, part in parts.items():
        text = part if isinstance(part, str) else json.dumps(part)
        (folder / name).write_text(text)
    return folder


def step_of(parts: dict[str, Any]) -> dict[str, Any]:
    """The first step of the first task."""
    step: dict[str, Any] = parts["workflow.yaml"]["spec"]["tasks"][0]["taskSpec"]["steps"][0]
    return step


def parameter_of(parts: dict[str, Any]) -> dict[str, Any]:
    """The parameter with a default."""
    param: dict[str, Any] = parts["workflow.yaml"]["spec"]["params"][1]
    return param
