"""Tokens in files, credential plugins and logins that are over, each against a real API server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from localcluster import Cluster

User = dict[str, Any]
Write = Callable[[User], Path]
API_VERSION = "client.authentication.k8s.io/v1"
HINT = "Install it from https://login.example/cli"


@pytest.fixture
def write(bare_cluster: Cluster, tmp_path: Path) -> Write:
    """Write the cluster's kubeconfig for another user."""

    def write(user: User) -> Path:
        config = yaml.safe_load(bare_cluster.kubeconfig.read_text())
        config["users"][0]["user"] = user
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return path

    return write


@pytest.fixture(scope="module")
def token(bare_cluster: Cluster) -> str:
    """A token of a ServiceAccount that may read everything."""
    reader, who = ["reader", "-n", "default"], "--serviceaccount=default:reader"
    made = [
        _kubectl(bare_cluster, bare_cluster.kubeconfig, "create", *arguments)
        for arguments in (
            ["serviceaccount", *reader],
            ["clusterrolebinding", "reader", "--clusterrole=cluster-admin", who],
            ["token", *reader],
        )
    ]
    assert all(one.returncode == 0 for one in made), made
    return made[-1].stdout.strip()


@pytest.mark.parametrize("end", ["", "\n", "\r\n", " \n\n"])
def test_a_token_in_a_file_may_end_with_white_space(
    write: Write, token: str, tmp_path: Path, end: str, bare_cluster: Cluster
) -> None:
    (tmp_path / "token").write_bytes((token + end).encode())
    path = write({"tokenFile": "token"})
    answer = _wfe(path, "list", "-A")
    assert answer.returncode == 0, answer.stderr
    assert _kubectl(bare_cluster, path, "get", "wfe", "-A").returncode == 0


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_token_of_a_plugin_may_end_with_white_space(
    write: Write, token: str, tmp_path: Path, end: str
) -> None:
    answered = _credential({"token": token + end})
    answer = _wfe(write(_plugin(tmp_path, f"cat <<'EOF'\n{answered}\nEOF")), "list", "-A")
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'the SSO session is over, run login' >&2; exit 7", "the SSO session is over"),
        ("exit 7", "it ended with status 7"),
        ("echo 'Logged in.'", "what it wrote is not"),
        ("", "what it wrote is not"),
        (f"echo '{json.dumps({'apiVersion': API_VERSION, 'kind': 'X'})}'", "what it wrote is not"),
        (f"echo '{json.dumps({'apiVersion': API_VERSION, 'status': []})}'", "what it wrote is not"),
        ("kill -9 $$", "a signal ended it"),
    ],
)
def test_a_plugin_that_fails_is_named_with_its_words(
    write: Write, tmp_path: Path, script: str, said: str
) -> None:
    refused = _wfe(write(_plugin(tmp_path, script)), "list", "-A")
    assert "credential plugin" in refused.stderr
    assert said in refused.stderr
    assert HINT in refused.stderr
    assert "ClusterRole" not in refused.stderr
    assert refused.returncode == 5
    assert len(refused.stderr.splitlines()) == 1, refused.stderr


def test_a_plugin_that_is_not_installed_is_named_with_its_hint(write: Write) -> None:
    plugin = {"apiVersion": API_VERSION, "command": "no-such-login", "installHint": HINT}
    refused = _wfe(write({"exec": plugin | {"interactiveMode": "Never"}}), "list", "-A")
    assert "credential plugin no-such-login" in refused.stderr
    assert HINT in refused.stderr
    assert refused.returncode == 5


def test_the_operator_does_not_start_as_nobody(write: Write) -> None:
    plugin = {"apiVersion": API_VERSION, "command": "no-such-login", "installHint": HINT}
    refused = _run(
        *("-m", "workflowexecution", "run", "--probes-port=0", "--metrics-port=0"),
        KUBECONFIG=str(write({"exec": plugin})),
    )
    assert refused.returncode == 2
    assert "credential plugin no-such-login" in refused.stderr


def test_a_login_that_is_over_is_told_as_such(write: Write) -> None:
    refused = _wfe(write({"token": "of-yesterday"}), "list", "-A")
    assert "does not know who asks" in refused.stderr
    assert "has expired" in refused.stderr
    assert "right" not in refused.stderr.partition("401")[0]
    assert refused.returncode == 5


@pytest.mark.parametrize("command", [["list", "-A"], ["doctor"], ["holds"], ["locks"]])
@pytest.mark.parametrize("user", [{}, {"username": "me", "password": "ö s3cret\n"}])
def test_nobody_is_told_that_nobody_is_signed_in(
    write: Write, command: list[str], user: User
) -> None:
    refused = _wfe(write(user), *command)
    assert "nobody is signed in" in refused.stderr
    assert "ClusterRole" not in refused.stdout + refused.stderr
    assert refused.returncode == 5


def _plugin(folder: Path, script: str) -> User:
    """A plugin beside the kubeconfig, named relative to it."""
    path = folder / "login"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    plugin = {"apiVersion": API_VERSION, "command": "./login", "installHint": HINT}
    return {"exec": plugin | {"interactiveMode": "IfAvailable"}}


def _credential(status: User) -> str:
    return json.dumps({"apiVersion": API_VERSION, "kind": "ExecCredential", "status": status})


def _wfe(kubeconfig: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return _run("-m", "workflowexecution.plugin", *arguments, KUBECONFIG=str(kubeconfig))


def _kubectl(
    cluster: Cluster, kubeconfig: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    return _start([str(cluster.kubectl), *arguments], KUBECONFIG=str(kubeconfig))


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return _start([sys.executable, *arguments], **environment)


def _start(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
