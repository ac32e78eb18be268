"""The ConfigMap of settings has one key and one owner for each shard, and takes one request."""

from typing import Any, cast

from workflowexecution.client.kube_cluster import KubeCluster
from workflowexecution.core.names import Shard
from workflowexecution.kube.client import ApiClient

PATH = "/api/v1/namespaces/runs/configmaps/workflowexecution-settings"


class Client:
    """Keeps what it is asked to send."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, dict[str, Any]]] = []

    async def request(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        self.sent.append((method, path, how))
        return {}


def cluster_of(client: Client) -> KubeCluster:
    return KubeCluster(cast(ApiClient, client), execution_namespace="runs", watch_namespaces=())


async def test_a_shard_writes_its_own_key_as_its_own_owner() -> None:
    client = Client()
    await cluster_of(client).publish(Shard(2, 3), '{"a": 1}')
    ((method, path, how),) = client.sent
    assert (method, path) == ("PATCH", PATH)
    assert how["content_type"] == "application/apply-patch+yaml"
    owner = "workflowexecution-operator-shard-2-of-3"
    assert how["params"] == {"fieldManager": owner, "force": "true"}
    assert how["body"]["data"] == {"shard-2-of-3": '{"a": 1}'}
    assert how["body"]["metadata"]["name"] == "workflowexecution-settings"


async def test_all_entries_are_read_with_one_request() -> None:
    client = Client()
    await cluster_of(client).read_published()
    assert client.sent == [("GET", PATH, {})]
