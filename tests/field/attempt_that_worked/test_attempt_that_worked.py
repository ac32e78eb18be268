"""The first attempt did its work; the second never began."""

from __future__ import annotations

from pathlib import Path

from e2e.watching import until_a_step_runs
from field.situation import push_pipeline, workflow
from harness.executions import unique, unique_target
from harness.world import World
from localcluster import Cluster

FOLDER = Path(__file__).parent


def test_what_an_earlier_attempt_did_is_told(node_world: World, node_cluster: Cluster) -> None:
    account = unique("account")
    accounts = f"/api/v1/namespaces/{node_world.execution_namespace}/serviceaccounts"
    node_cluster.request("POST", accounts, {"metadata": {"name": account}})
    fields = workflow(push_pipeline(node_cluster, FOLDER))
    config = {"serviceAccountName": account}
    item, run = node_world.launched(unique_target(), executionConfig=config, **fields)
    until_a_step_runs(node_world, run)
    node_cluster.request("DELETE", f"{accounts}/{account}")

    failure = node_world.ended(item, "Failed")["status"]["failureDetails"]
    assert (failure["reason"], failure["failedTaskName"]) == ("ConfigurationError", "change")
    assert failure["wasExecutionFailure"] is True
    said = "Steps had started in an earlier attempt of task 'change', so "
    assert said in failure["naturalLanguageSummary"]
