"""A kubeconfig of one user, and a program that logs it in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from official_client import SERVER, V1, Script, Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a kubeconfig of one user."""

    def write(user: dict[str, Any], name: str = "kubeconfig", **cluster: Any) -> Path:
        content = {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": SERVER, **cluster}}],
            "users": [{"name": "u", "user": user}],
        }
        path = tmp_path / name
        path.write_text(yaml.safe_dump(content))
        return path

    return write


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """A credential plugin that counts its runs and writes this; the content of ``exec``."""

    def make(status: dict[str, Any], before: str = "", **more: Any) -> dict[str, Any]:
        told = json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status})
        path = tmp_path / "login"
        path.write_text(
            f"#!/bin/sh\necho run >>{tmp_path}/runs\n{before}\ncat <<'EOF'\n{told}\nEOF\n"
        )
        path.chmod(0o755)
        return {"apiVersion": V1, "command": str(path), **more}

    return make
