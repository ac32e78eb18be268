"""Under all optional policies, with real Tekton: what is allowed works, from launch to cleanup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from e2e.watching import END_S, until_a_step_runs
from e2e.workload import restarted_at
from harness import rights
from harness.executions import condition_of
from harness.objects import Objects
from harness.shipped_policies import in_force
from harness.waiting import eventually
from harness.world import World
from localcluster.cluster import ApiError, Cluster, Object

# What a run does, under which account, and how long it may.
OTHERWISE: list[Object] = [
    {"params": [{"name": "SECONDS", "value": "1"}]},
    {"pipelineRef": {"params": [{"name": "bundle", "value": "elsewhere.example/evil:1"}]}},
    {"taskRunTemplate": {"serviceAccountName": "default"}},
    {"timeouts": {"pipeline": "0"}},
    {"workspaces": [{"name": "w", "emptyDir": {}}]},
]


@pytest.fixture
def policed(node_world: World, node_cluster: Cluster, shop: str) -> Iterator[World]:
    sources = [f"{node_cluster.registry}/e2e"]
    with in_force(node_world, sources, [shop], requires_digest=True):
        yield node_world


def workflow(bundles: Mapping[str, str], name: str) -> Object:
    ref = {"workflowId": name, "version": "1", "containerImage": bundles[name]}
    return {"workflow": name, "workflowRef": ref}


def test_a_workflow_is_run_and_another_is_stopped(
    policed: World, node_cluster: Cluster, bundles: Mapping[str, str], deployment: str
) -> None:
    done = policed.create(deployment, **workflow(bundles, "restart-workload"))
    policed.ended(done, "Completed", END_S)
    assert restarted_at(node_cluster, deployment)

    held = policed.create(deployment, **workflow(bundles, "wait"), parameters={"SECONDS": "600"})
    policed.in_phase(held, "Running", END_S)
    run = policed.run_of(held)
    until_a_step_runs(policed, run)
    policed.executions.delete(held)

    def is_cancelled() -> None:
        now = policed.run_now(run)
        assert now is not None
        assert condition_of(now, "Succeeded").get("reason") == "Cancelled"

    eventually(is_cancelled, END_S, dump=policed.dump)
    policed.launched_once_free(deployment, **workflow(bundles, "always-fails"))


def test_who_may_cancel_changes_nothing_else_of_a_run(
    policed: World, bundles: Mapping[str, str], deployment: str
) -> None:
    target = workflow(bundles, "wait")
    held = policed.create(deployment, **target, parameters={"SECONDS": "600"})
    policed.in_phase(held, "Running", END_S)
    run = policed.run_of(held)
    until_a_step_runs(policed, run)
    role = {"workflowexecution-canceller": policed.execution_namespace}
    carol = rights.with_roles(policed.cluster, policed.source, "carol", role)
    runs = Objects(carol, "pipelineruns")

    for spec in OTHERWISE:
        with pytest.raises(ApiError, match="only status updates are allowed"):
            runs.patch(run, {"spec": spec})
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "nope", "uid": "1-2"}
    for meta in ({"ownerReferences": [owner]}, {"finalizers": ["example.com/never"]}):
        with pytest.raises(ApiError, match="takes the right to delete it"):
            runs.patch(run, {"metadata": meta})

    runs.patch(run, {"spec": {"status": "Cancelled"}})
    policed.ended(held, "Failed", END_S)
