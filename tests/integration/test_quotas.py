"""The quotas that manifests/ ship, against somebody who creates as much as the server takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import rights
from harness.executions import execution, unique, unique_target
from harness.kubectl import kubectl
from harness.objects import Objects, create_namespace, delete_namespace
from harness.overlays import apply
from localcluster import Cluster
from localcluster.cluster import ApiError, Object
from localcluster.overlays import MANIFESTS, overlay

EXECUTIONS = "count/workflowexecutions.workflowexecution.kubernaut.ai"
RUNS = "count/pipelineruns.tekton.dev"
AT_ONCE = 8


@pytest.fixture
def space(bare_cluster: Cluster) -> Iterator[str]:
    name = unique("tenant")
    create_namespace(bare_cluster, name)
    yield name
    delete_namespace(bare_cluster, name)


def in_force(cluster: Cluster, namespace: str, name: str) -> dict[str, str]:
    """Have the quota counted; returns what it lets in.

    Until the controller that counts knows a kind, which takes its time, everything is refused.
    """
    path = f"/api/v1/namespaces/{namespace}/resourcequotas/{name}"
    hard: dict[str, str] = cluster.request("GET", path)["spec"]["hard"]
    status = {"hard": hard, "used": dict.fromkeys(hard, "0")}
    cluster.request("PATCH", f"{path}/status", {"status": status})
    return hard


def accepted(kind: Objects, items: list[Object]) -> list[Object]:
    """Create all of them, several at a time; the ones that are let in."""

    def attempt(item: Object) -> Object | None:
        try:
            return kind.create(item)
        except ApiError as error:
            # A quota that was being counted by another request may ask to be tried again.
            assert error.code in (403, 409), error  # noqa: PT017 (which refusal is what matters)
            if error.code == 403:
                assert "exceeded quota" in str(error)  # noqa: PT017
            return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [made for made in pool.map(attempt, items) if made]


def test_a_tenant_fills_no_more_than_its_share(bare_cluster: Cluster, space: str) -> None:
    part = str(MANIFESTS / "quota-in-namespace")
    given = kubectl(bare_cluster, "apply", "-n", space, "-k", part)
    assert given.returncode == 0, given.stderr
    most = int(in_force(bare_cluster, space, "workflow-executions")[EXECUTIONS])
    role = {"workflowexecution-orchestrator": space}
    kind = Objects(rights.with_roles(bare_cluster, space, "tenant", role), "workflowexecutions")

    flood = [execution(unique_target(), namespace=space) for _ in range(most + 3 * AT_ONCE)]
    made = accepted(kind, flood)

    assert len(made) == most == 100


def test_runs_are_counted_where_they_are(bare_cluster: Cluster, space: str) -> None:
    few = [{"op": "replace", "path": "/spec/hard/count~1pipelineruns.tekton.dev", "value": "3"}]
    place = [{"op": "replace", "path": "/metadata/namespace", "value": space}]
    patches = [
        {"target": {"kind": "ResourceQuota"}, "patch": json.dumps([*few, *place])},
        {"target": {"kind": "LimitRange"}, "patch": json.dumps(place)},
    ]
    with overlay(components=["execution-limits"], patches=patches) as folder:
        apply(bare_cluster, folder)
    assert in_force(bare_cluster, space, "workflow-runs")[RUNS] == "3"

    def run() -> Object:
        meta = {"name": unique("run"), "namespace": space}
        spec = {"pipelineRef": {"name": "none"}}
        api = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun"}
        return {**api, "metadata": meta, "spec": spec}

    flood = [run() for _ in range(2 * AT_ONCE)]
    assert len(accepted(Objects(bare_cluster, "pipelineruns"), flood)) == 3
