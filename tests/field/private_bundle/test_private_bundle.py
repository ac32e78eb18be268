"""A private bundle is fetched with the pull secrets of the run's own ServiceAccount."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from field.situation import index_of, open_node_world, push_pipeline, workflow
from harness.beside_tekton import server
from harness.executions import condition_of, unique
from harness.world import World
from localcluster import Cluster
from localcluster.cluster import Object

HERE = Path(__file__).parent
END_S = 60
NONE, RIGHT, WRONG, OLD = "", "user:secret", "user:wrong", "user:old"
# What each account shows to a registry of each kind, and what the failure then says and advises.
REFUSED = [
    pytest.param("basic", NONE, "authentication required", "Give the run's", id="basic-none"),
    pytest.param("basic", WRONG, "authentication required", "its password", id="basic-wrong"),
    pytest.param("token", NONE, "requested access to the", "Give the run's", id="token-none"),
    pytest.param("token", WRONG, "incorrect username or", "Correct name and", id="token-wrong"),
    pytest.param("token", OLD, "token has expired", "Renew the token", id="token-expired"),
]


@dataclass(frozen=True)
class Private:
    """A registry that wants credentials, and a bundle in it."""

    address: str
    path: str

    @property
    def bundle(self) -> str:
        """The reference of the bundle, by digest."""
        return f"{self.address}/{self.path}"


def private(cluster: Cluster, mode: str, reference: str = "") -> Iterator[Private]:
    """Put a guard in front of the cluster's registry."""
    host, _, path = (reference or push_pipeline(cluster, HERE)).partition("/")
    with server(cluster, HERE / "guarded.py", host, mode) as address:
        yield Private(address, path)


@pytest.fixture(scope="module")
def basic(node_cluster: Cluster) -> Iterator[Private]:
    """One that asks for a password."""
    yield from private(node_cluster, "basic")


@pytest.fixture(scope="module")
def token(node_cluster: Cluster) -> Iterator[Private]:
    """One that asks for a token, which a password opens."""
    yield from private(node_cluster, "token")


@pytest.fixture
def registry(request: pytest.FixtureRequest, mode: str) -> Private:
    """The one of this kind."""
    found: Private = request.getfixturevalue(mode)
    return found


@pytest.mark.parametrize("mode", ["basic", "token"])
def test_the_secrets_of_the_runs_account_open_its_bundle(
    node_world: World, registry: Private
) -> None:
    account = _account(node_world, _secret(node_world, registry, RIGHT))
    _end(node_world, registry.bundle, "Completed", account)


@pytest.mark.parametrize(("mode", "login", "said", "advice"), REFUSED)
def test_what_is_wrong_with_the_credentials_is_told(
    node_world: World, registry: Private, login: str, said: str, advice: str
) -> None:
    account = _account(node_world, _secret(node_world, registry, login) if login else "")

    failure = _end(node_world, registry.bundle, "Failed", account)["status"]["failureDetails"]

    assert failure["reason"] == "ImagePullBackOff"
    assert failure["wasExecutionFailure"] is False
    assert said in failure["message"]
    assert advice in failure["naturalLanguageSummary"]
    assert "imagePullSecret" in failure["naturalLanguageSummary"]
    where = node_world.execution_namespace
    assert f"; asked as ServiceAccount {where}/{account}; see: " in failure["message"]
    assert failure["message"].endswith(f"kubectl describe serviceaccount -n {where} {account}")


@pytest.mark.parametrize("mode", ["basic"])
def test_the_secret_of_another_account_helps_nobody(node_world: World, registry: Private) -> None:
    """Also that of the account `default`, which Tekton asks where it is told of no other."""
    secret = _secret(node_world, registry, RIGHT)
    _account(node_world, secret)
    _account(node_world, secret, "default")
    failed = _end(node_world, registry.bundle, "Failed", _account(node_world, ""))
    assert failed["status"]["failureDetails"]["reason"] == "ImagePullBackOff"


def test_the_operators_own_pull_secret_opens_a_bundle_too(
    node_cluster: Cluster, shop: str, token: Private
) -> None:
    """It is in WFE_RUN_POD; the operator itself may not read it, and does not."""
    given = json.dumps({"imagePullSecrets": [{"name": "shared"}]})
    with open_node_world(node_cluster, shop, f"--run-pod={given}") as world:
        _secret(world, token, RIGHT, "shared")
        _end(world, token.bundle, "Completed", _account(world, ""))
        asked = [one.about for one in world.proxy.since() if "secrets" in one.kind]
    assert asked == []


def test_a_private_index_that_is_pinned_by_its_digest_raises_no_alarm(
    node_world: World, node_cluster: Cluster
) -> None:
    index = index_of(push_pipeline(node_cluster, HERE))
    for guarded in private(node_cluster, "token", index):
        account = _account(node_world, _secret(node_world, guarded, RIGHT))
        done = _end(node_world, guarded.bundle, "Completed", account)
        assert condition_of(done, "BundleVerified")["reason"] == "DigestOfIndex"
        assert not [one for one in node_world.events_of(done) if one["type"] == "Warning"]


def _end(world: World, bundle: str, phase: str, account: str) -> Object:
    config = {"serviceAccountName": account}
    target = f"{world.source}/Deployment/{unique('x')}"
    item = world.create(target, executionConfig=config, **workflow(bundle))
    return world.ended(item, phase, END_S)


def _secret(world: World, registry: Private, login: str, name: str = "") -> str:
    """A pull secret in the execution namespace; returns its name."""
    auth = base64.b64encode(login.encode()).decode()
    config = json.dumps({"auths": {registry.address: {"auth": auth}}})
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": name or unique("pull")},
        "data": {".dockerconfigjson": base64.b64encode(config.encode()).decode()},
    }
    secrets = f"/api/v1/namespaces/{world.execution_namespace}/secrets"
    return str(world.cluster.request("POST", secrets, body)["metadata"]["name"])


def _account(world: World, secret: str, name: str = "") -> str:
    """An account with this pull secret, or with none; returns its name."""
    path = f"/api/v1/namespaces/{world.execution_namespace}/serviceaccounts"
    body = {"imagePullSecrets": [{"name": secret}] if secret else []}
    if name:
        world.cluster.request("PATCH", f"{path}/{name}", body)
        return name
    meta = {"name": unique("account")}
    new = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta, **body}
    return str(world.cluster.request("POST", path, new)["metadata"]["name"])
