"""A private bundle is fetched with the pull secrets of the run's own ServiceAccount."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from field.situation import push_pipeline, workflow
from harness.beside_tekton import server
from harness.executions import unique
from harness.world import World

HERE = Path(__file__).parent


@pytest.fixture
def private(node_world: World) -> Iterator[str]:
    """Reference of a bundle that wants credentials, which are in the secret `pull`."""
    public = push_pipeline(node_world.cluster, HERE)
    host, _, path = public.partition("/")
    with server(node_world.cluster, HERE / "guarded.py", host) as address:
        auth = base64.b64encode(b"user:secret").decode()
        config = json.dumps({"auths": {address: {"auth": auth}}})
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/dockerconfigjson",
            "metadata": {"name": unique("pull")},
            "data": {".dockerconfigjson": base64.b64encode(config.encode()).decode()},
        }
        secrets = f"/api/v1/namespaces/{node_world.execution_namespace}/secrets"
        name = node_world.cluster.request("POST", secrets, body)["metadata"]["name"]
        for account, secret in (("opens", name), ("lacks", None), ("default", None)):
            _give(node_world, account, secret)
        yield f"{address}/{path}"


def test_the_secrets_of_the_runs_account_open_its_bundle(node_world: World, private: str) -> None:
    config = {"serviceAccountName": "opens"}
    target = f"{node_world.source}/Deployment/{unique('x')}"
    item = node_world.create(target, executionConfig=config, **workflow(private))
    node_world.ended(item, "Completed", 60)


def test_an_account_without_the_secret_is_told_what_it_lacks(
    node_world: World, private: str
) -> None:
    """Also where the account `default` has it, which Tekton asks where it is told of no other."""
    path = f"/api/v1/namespaces/{node_world.execution_namespace}/serviceaccounts/opens"
    known = node_world.cluster.request("GET", path)["imagePullSecrets"]
    _give(node_world, "default", known[0]["name"])
    config = {"serviceAccountName": "lacks"}
    target = f"{node_world.source}/Deployment/{unique('x')}"
    item = node_world.create(target, executionConfig=config, **workflow(private))

    failure = node_world.ended(item, "Failed", 60)["status"]["failureDetails"]

    assert failure["reason"] == "ImagePullBackOff"
    assert "Give the run's ServiceAccount an imagePullSecret" in failure["naturalLanguageSummary"]


def _give(world: World, account: str, secret: str | None) -> None:
    """Have an account with this pull secret, or with none."""
    path = f"/api/v1/namespaces/{world.execution_namespace}/serviceaccounts"
    known = [{"name": secret}] if secret else []
    body = {"imagePullSecrets": known}
    if world.cluster.exists(f"{path}/{account}"):
        world.cluster.request("PATCH", f"{path}/{account}", body)
    else:
        new = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account}, **body}
        world.cluster.request("POST", path, new)
