"""The programs that log in, as the official client runs them; see test_official_client.py."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import kubernetes.aio.client
import kubernetes.aio.config
import kubernetes.client
import kubernetes.client.rest
import kubernetes.config
import pytest

from official_client import SERVER, V1, Script, Write, header, in_, loaded, runs


@pytest.fixture(autouse=True)
def _outside_of_any_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
    for name in (*names, *map(str.upper, names), "KUBERNETES_SERVICE_HOST", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "settings",
    [
        {"apiVersion": V1, "command": "no-such-login", "installHint": "get it"},
        {"apiVersion": V1, "command": "false"},
        {"apiVersion": V1, "command": "true"},
        {"apiVersion": V1, "command": "no-such-login", "interactiveMode": "Always"},
    ],
)
def test_a_plugin_that_fails_is_nobody(write: Write, settings: dict[str, Any]) -> None:
    """It is a line in the log, and requests are sent as system:anonymous."""
    assert header(loaded(write({"exec": settings}))) is None


def test_a_plugin_may_take_for_ever_and_reads_what_is_not_for_it(
    write: Write, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has what `kubectl wfe submit -f -` is to read, also where ``interactiveMode: Never``."""
    begun: list[dict[str, Any]] = []
    waits: list[Any] = []

    class Noting(subprocess.Popen[str]):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            begun.append(more)
            super().__init__(*arguments, **more)

        def communicate(self, input: Any = None, timeout: Any = None) -> Any:
            waits.append(timeout)
            return super().communicate(input, timeout)

    monkeypatch.setattr(subprocess, "Popen", Noting)
    loaded(write({"exec": script({"token": "t"}, interactiveMode="Never")}))
    assert waits == [None]
    assert begun[0]["stdin"] is None


def test_a_plugin_is_not_given_the_authority_of_the_cluster(
    write: Write, script: Script, tmp_path: Path
) -> None:
    """It is told a path, which no plugin knows how to read, where kubectl gives the content."""
    (tmp_path / "ca").write_text("trusted")
    asked = f'printf "%s" "$KUBERNETES_EXEC_INFO" >{tmp_path}/info'
    settings = script({"token": "t"}, asked, provideClusterInfo=True)
    loaded(write({"exec": settings}, **{"certificate-authority": "ca"}))
    told = json.loads((tmp_path / "info").read_text())["spec"]["cluster"]
    assert told == {"server": SERVER, "certificate-authority": "ca"}


def test_a_plugin_runs_for_every_request_in_its_last_five_minutes(
    write: Write, script: Script, tmp_path: Path
) -> None:
    config = loaded(
        write({"exec": script({"token": "t", "expirationTimestamp": in_(timedelta(minutes=4))})})
    )
    assert [header(config), header(config)] == ["Bearer t", "Bearer t"]
    assert runs(tmp_path) == 3


def test_a_token_that_has_expired_is_sent_where_the_plugin_fails(
    write: Write, script: Script
) -> None:
    settings = script({"token": "old", "expirationTimestamp": in_(timedelta(minutes=-1))})
    config = loaded(write({"exec": settings}))
    Path(settings["command"]).write_text("#!/bin/sh\nexit 1\n")
    assert header(config) == "Bearer old"


def test_a_certificate_of_a_plugin_is_never_renewed(write: Write, script: Script) -> None:
    status = {
        "clientCertificateData": "certificate",
        "clientKeyData": "key",
        "expirationTimestamp": in_(timedelta(minutes=-1)),
    }
    assert loaded(write({"exec": script(status)})).refresh_api_key_hook is None


async def test_the_asynchronous_half_never_logs_in_again(
    write: Write, script: Script, tmp_path: Path
) -> None:
    settings = script({"token": "old", "expirationTimestamp": in_(timedelta(minutes=-1))})
    config = kubernetes.aio.client.Configuration()
    await kubernetes.aio.config.load_kube_config(
        str(write({"exec": settings})), client_configuration=config, persist_config=False
    )
    assert config.refresh_api_key_hook is None
    assert await config.get_api_key_with_prefix("BearerToken") == "Bearer old"
    assert runs(tmp_path) == 1
