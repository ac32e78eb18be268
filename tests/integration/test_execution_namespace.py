"""The execution namespace goes away and comes back: each execution is told, none is lost."""

from __future__ import annotations

import localcluster
from harness import rights
from harness.executions import condition_of, unique_target
from harness.objects import create_namespace, delete_namespace
from harness.waiting import eventually
from harness.world import open_world
from localcluster import Cluster

BINDING = (
    "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings/workflowexecution-controller"
)


def _is_there(cluster: Cluster, namespace: str) -> bool:
    return cluster.exists(f"/api/v1/namespaces/{namespace}")


def test_what_cannot_be_followed_is_told_and_taken_up_again(bare_cluster: Cluster) -> None:
    """The rights go with the namespace: nobody can say what became of the run, so it holds."""
    with open_world(bare_cluster) as world:
        running, run = world.launched(unique_target())
        namespace = world.execution_namespace

        # In this order: a namespace that goes takes the rights and the run in any order.
        bare_cluster.request("DELETE", BINDING.format(namespace))
        world.tekton.runs.delete(run)
        delete_namespace(bare_cluster, namespace)

        def is_told() -> None:
            condition = condition_of(world.read(running), "Succeeded")
            assert condition["reason"] == "Stopping"
            assert "cannot" in condition["message"]

        eventually(is_told, 60, dump=world.dump)
        localcluster.eventually(lambda: not _is_there(bare_cluster, namespace), 60)
        waiting = world.in_phase(world.create(unique_target()), "Pending")
        assert f'in the namespace "{namespace}"' in condition_of(waiting, "Succeeded")["message"]
        assert world.read(running)["status"]["phase"] == "Running"

        create_namespace(bare_cluster, namespace)
        rights.extend_to(bare_cluster, namespace)

        world.in_phase(waiting, "Running", 60)
        world.launched(unique_target())
        lost = world.ended(running, "Failed", 60)["status"]["failureDetails"]
        assert "was deleted by somebody else" in lost["message"]
