"""Three hours asked for, three hours given: Tekton's own default is one."""

from __future__ import annotations

from pathlib import Path

from field.situation import push_pipeline, workflow
from harness.executions import name_of
from harness.waiting import eventually
from harness.world import World
from localcluster import Cluster

FOLDER = Path(__file__).parent


def test_a_task_is_given_what_was_asked_for(
    node_world: World, node_cluster: Cluster, target: str
) -> None:
    fields = workflow(push_pipeline(node_cluster, FOLDER))
    item = node_world.create(target, **fields, executionConfig={"timeout": "3h"})
    run = node_world.run_of(item)

    def limit_of_its_task() -> None:
        task = node_world.tekton.task_runs.get(
            node_world.execution_namespace, f"{name_of(run)}-long"
        )
        assert task is not None
        assert task["spec"]["timeout"] == "3h0m0s"

    eventually(limit_of_its_task, dump=node_world.dump)
    node_world.executions.delete(item)
