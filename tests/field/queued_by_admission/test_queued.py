"""A run waits in a queue for longer than its time limit: it is waited for, and then runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from field.situation import open_node_world, push_pipeline, workflow
from harness.executions import condition_of, name_of, unique_target
from harness.plugin_command import ask
from harness.waiting import eventually, holds_for
from harness.world import World
from localcluster import Cluster
from localcluster.cluster import Object

FOLDER = Path(__file__).parent
END_S = 40.0
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
KINDS = ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings")
# Long enough for its work; it is given up two seconds later where the limit counts from creation.
LIMIT_S = 20


@pytest.fixture(scope="module")
def world(node_cluster: Cluster, shop: str) -> Iterator[World]:
    with open_node_world(node_cluster, shop, "--deadline-grace=2s") as opened:
        text = (FOLDER / "queue.yaml").read_text().replace("RUNS", opened.execution_namespace)
        for kind, item in zip(KINDS, yaml.safe_load_all(text), strict=True):
            node_cluster.request("POST", f"{ADMISSION}/{kind}", item)
        yield opened
        for kind in KINDS:
            node_cluster.request("DELETE", f"{ADMISSION}/{kind}/queue")


def queued(world: World, cluster: Cluster) -> tuple[Object, Object]:
    """An execution whose run waits in the queue."""
    fields = workflow(push_pipeline(cluster, FOLDER))

    def check() -> tuple[Object, Object]:
        # A policy is in force only some moments after it was made.
        item = world.create(unique_target(), **fields, executionConfig={"timeout": f"{LIMIT_S}s"})
        run = world.run_of(item)
        assert run["spec"].get("status") == "PipelineRunPending"
        return item, run

    return eventually(check, END_S, dump=world.dump)


def assert_waiting(world: World, item: Object) -> None:
    found = world.read(item)
    # Its first status may not be written yet.
    assert found.get("status", {}).get("phase") == "Running"
    told = condition_of(found, "Succeeded")
    assert told["reason"] == "Queued", told
    assert "is queued" in told["message"]
    assert "Tekton's controller" not in told["message"]


def test_it_is_waited_for_and_then_runs(world: World, node_cluster: Cluster) -> None:
    item, run = queued(world, node_cluster)
    eventually(lambda: assert_waiting(world, item), dump=world.dump)
    holds_for(lambda: assert_waiting(world, item), LIMIT_S + 4)
    assert "is queued" in ask(world, "why", name_of(item)).out

    world.tekton.runs.patch(run, {"spec": {"status": None}})

    world.ended(item, "Completed", END_S)


def test_it_is_cancelled_while_it_waits(world: World, node_cluster: Cluster) -> None:
    item, _ = queued(world, node_cluster)

    assert ask(world, "cancel", name_of(item)).status == 0

    found = world.ended(item, "Failed", END_S)
    assert found["status"]["pipelineRunStatus"]["reason"] == "Cancelled"
    assert found["status"]["failureDetails"]["wasExecutionFailure"] is False


def test_deleting_its_execution_frees_the_target(world: World, node_cluster: Cluster) -> None:
    item, run = queued(world, node_cluster)

    world.executions.delete(item)

    def has_ended() -> None:
        found = world.run_now(run)
        assert found is not None
        assert condition_of(found, "Succeeded").get("reason") == "Cancelled"

    eventually(has_ended, END_S, dump=world.dump)
