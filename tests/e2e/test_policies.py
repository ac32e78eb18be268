"""Under all optional policies, with real Tekton: what is allowed works, from launch to cleanup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from e2e.watching import END_S, until_a_step_runs
from e2e.workload import restarted_at
from harness.executions import condition_of
from harness.shipped_policies import in_force
from harness.waiting import eventually
from harness.world import World
from localcluster.cluster import Cluster, Object


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
