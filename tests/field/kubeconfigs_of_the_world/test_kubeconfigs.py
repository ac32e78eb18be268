"""With the same files and flags, the plugin is who kubectl is, or it refuses."""

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
from workflowexecution.kube.client import ApiClient
from workflowexecution.kube.kubeconfig import Asked
from workflowexecution.kube.load_access import load_access

Config = dict[str, Any]
Files = Callable[..., Path]
IMPERSONATED: Config = {
    "as": "alice",
    "as-uid": "11-22",
    "as-groups": ["devs", "ops team"],
    "as-user-extra": {"acme.example/scopes": ["read", "write"], "odd key%": ["ü"]},
}
_WHO = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


@pytest.fixture
def write(bare_cluster: Cluster, tmp_path: Path) -> Files:
    """Write the cluster's kubeconfig with changes, and without what is None."""

    def write(
        name: str, user: Config | None = None, cluster: Config | None = None, **top: Any
    ) -> Path:
        config = yaml.safe_load(bare_cluster.kubeconfig.read_text())
        config["users"][0]["user"] |= user or {}
        config["clusters"][0]["cluster"] |= cluster or {}
        merged = {key: value for key, value in {**config, **top}.items() if value is not None}
        path = tmp_path / name
        path.write_text(yaml.safe_dump(merged))
        return path

    return write


async def test_with_impersonation_in_the_file_both_are_whom_it_names(
    bare_cluster: Cluster, write: Files
) -> None:
    path = write("as", IMPERSONATED)
    seen = await _is_by_us(path)
    assert seen == _is_by_kubectl(bare_cluster, path)
    assert (seen["username"], seen["uid"]) == ("alice", "11-22")
    assert set(seen["groups"]) == {"devs", "ops team", "system:authenticated"}
    assert seen["extra"] == {"acme.example/scopes": ["read", "write"], "odd key%": ["ü"]}


def test_who_is_impersonated_and_may_nothing_is_refused(
    bare_cluster: Cluster, write: Files
) -> None:
    path = write("as", {"as": "alice"})
    for arguments in (["list", "-A"], ["cancel", "-n", "default", "x"], ["holds"]):
        refused = _wfe(bare_cluster, path, *arguments)
        assert refused.returncode in (3, 4), refused.stderr
        assert "alice" in refused.stderr or "right" in refused.stderr
    assert _wfe(bare_cluster, bare_cluster.kubeconfig, "list", "-A").returncode == 0


def test_the_operator_too_is_whom_its_kubeconfig_names(write: Files, bare_cluster: Cluster) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "workflowexecution", "run", "--probes-port=0", "--metrics-port=0"],
        env={**os.environ, "KUBECONFIG": str(write("as", {"as-groups": ["system:masters"]}))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 2
    assert "users[user].user.as-groups: needs users[user].user.as" in refused.stderr


def test_in_a_pod_of_another_cluster_the_named_one_is_asked(
    bare_cluster: Cluster, write: Files
) -> None:
    # The variables of a pod; nobody answers there.
    pod = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1"}
    answer = _wfe(bare_cluster, write("named"), "list", "-A", **pod)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("current", [None, "gone"])
def test_a_context_that_is_named_needs_no_current_one(
    bare_cluster: Cluster, write: Files, current: str | None
) -> None:
    path = write("config", **{"current-context": current})
    answer = _wfe(bare_cluster, path, "list", "--context", "local")
    assert answer.returncode == 0, answer.stderr
    refused = _wfe(bare_cluster, path, "list")
    assert refused.returncode == 2
    assert "current-context" in refused.stderr


def test_of_several_files_both_take_the_same(bare_cluster: Cluster, write: Files) -> None:
    nowhere = write("other", cluster={"server": "https://127.0.0.1:1"})
    for files, status in ((f"{write('own')}:{nowhere}", 0), (f"{nowhere}:{write('own')}", 5)):
        answer = _wfe(bare_cluster, files, "list", "-A")
        assert answer.returncode == status, answer.stderr
        by_kubectl = _kubectl(bare_cluster, files, "get", "wfe", "-A")
        assert (by_kubectl.returncode == 0) is (status == 0), by_kubectl.stderr


def test_a_socks_proxy_is_refused_naming_the_field(bare_cluster: Cluster, write: Files) -> None:
    path = write("socks", cluster={"proxy-url": "socks5://me:s3cret@127.0.0.1:1080"})
    refused = _wfe(bare_cluster, path, "list", "-A")
    assert refused.returncode == 2
    assert "clusters[local].cluster.proxy-url: a proxy of the kind socks5://" in refused.stderr
    assert "s3cret" not in refused.stderr


async def _is_by_us(path: Path) -> Config:
    access = load_access(Asked(str(path)))
    async with access.open_session(connections=1) as session:
        client = ApiClient(session, access.server)
        path_ = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        answer = await client.request("POST", path_, body=_WHO)
    return dict(answer["status"]["userInfo"])


def _is_by_kubectl(cluster: Cluster, path: Path) -> Config:
    answer = _kubectl(cluster, path, "auth", "whoami", "-o", "json")
    assert answer.returncode == 0, answer.stderr
    return dict(json.loads(answer.stdout)["status"]["userInfo"])


def _kubectl(
    cluster: Cluster, kubeconfig: Path | str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    return _run(str(cluster.kubectl), *arguments, KUBECONFIG=str(kubeconfig))


def _wfe(
    cluster: Cluster, kubeconfig: Path | str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "workflowexecution.plugin"]
    return _run(*program, *arguments, KUBECONFIG=str(kubeconfig), **environment)


def _run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
