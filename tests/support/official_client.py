"""A configuration of the official client, and the parts of one that tests look at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import kubernetes.client
import kubernetes.config

V1 = "client.authentication.k8s.io/v1"
SERVER = "https://10.9.8.7:6443"
Write = Callable[..., Path]
Script = Callable[..., dict[str, Any]]


def loaded(path: Path | str) -> Any:
    config = kubernetes.client.Configuration()
    kubernetes.config.load_kube_config(str(path), client_configuration=config, persist_config=False)
    return config


def header(config: Any) -> str | None:
    found: str | None = config.get_api_key_with_prefix("BearerToken")
    return found


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text().splitlines())


def in_(delay: timedelta) -> str:
    return (datetime.now(UTC) + delay).isoformat().replace("+00:00", "Z")
