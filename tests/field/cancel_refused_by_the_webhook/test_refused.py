"""Tekton's webhook answers 400 to every cancel: the run is stopped all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from field.situation import open_node_world, push_pipeline, workflow
from harness.executions import name_of, unique_target
from harness.plugin_command import ask
from harness.waiting import eventually
from harness.world import World
from localcluster import Cluster
from localcluster.cluster import ApiError, Object

FOLDER = Path(__file__).parent
DEFAULTS = "/api/v1/namespaces/tekton-pipelines/configmaps/config-defaults"
TOLERANT = "tolerations:\n- {key: spot, operator: Exists}\n"
# The garbage collector of a cluster that has just started learns of new kinds every 30 s.
END_S = 60.0


@pytest.fixture(scope="module")
def world(node_cluster: Cluster, shop: str) -> Iterator[World]:
    with open_node_world(node_cluster, shop, "--cancel-grace=5s", "--leftover-grace=2s") as opened:
        yield opened


@pytest.fixture
def working(world: World, node_cluster: Cluster) -> Iterator[tuple[Object, Object]]:
    """An execution that works, and its run, which Tekton's webhook lets nobody cancel."""
    item = world.create(unique_target(), **workflow(push_pipeline(node_cluster, FOLDER)))
    run = world.run_of(item)
    eventually(lambda: _assert_working(world, run), END_S, dump=world.dump)
    _set_default(node_cluster, TOLERANT)
    try:
        eventually(lambda: _assert_answer(node_cluster, world, run, 400), END_S)
        yield item, run
    finally:
        _set_default(node_cluster, None)
        # Whoever comes next finds the webhook as it was.
        other = world.run_of(world.create(unique_target(), **workflow("registry.example/none:v1")))
        eventually(lambda: _assert_answer(node_cluster, world, other, 200), END_S)


def _set_default(cluster: Cluster, template: str | None) -> None:
    cluster.request("PATCH", DEFAULTS, {"data": {"default-pod-template": template}})


def _assert_working(world: World, run: Object) -> None:
    phases = [pod["status"]["phase"] for pod in _pods_of(world, run)]
    assert phases == ["Running"]


def _pods_of(world: World, run: Object) -> list[Object]:
    found = world.tekton.pods.list(world.execution_namespace)
    return [
        pod for pod in found if pod["metadata"]["labels"]["tekton.dev/pipelineRun"] == name_of(run)
    ]


def _assert_answer(cluster: Cluster, world: World, run: Object, code: int) -> None:
    """The API server would answer a cancel with this code."""
    path = f"/apis/tekton.dev/v1/namespaces/{world.execution_namespace}/pipelineruns/{name_of(run)}"
    answer = 200
    try:
        cluster.request("PATCH", f"{path}?dryRun=All", {"spec": {"status": "Cancelled"}})
    except ApiError as error:
        answer = error.code
    assert answer == code


def _assert_stopped(world: World, run: Object, seen: set[str]) -> None:
    """Nothing of it is left; whatever pods there were meanwhile are noted."""
    pods = _pods_of(world, run)
    seen.update(pod["metadata"]["uid"] for pod in pods)
    assert pods == []
    assert world.run_now(run) is None


def test_deleting_the_execution_stops_its_run(
    world: World, working: tuple[Object, Object], target: str
) -> None:
    item, run = working

    told = ask(world, "cancel", name_of(item))

    assert told.status == 1
    assert "only status updates are allowed" in told.err
    assert f"kubectl wfe cancel --delete -n {world.source} {name_of(item)}" in told.err

    told = ask(world, "cancel", "--delete", name_of(item))

    assert told.status == 0, told.err
    seen: set[str] = set()
    eventually(lambda: _assert_stopped(world, run, seen), END_S, dump=world.dump)
    assert len(seen) == 1, "its work was begun again"
    notes = [event["note"] for event in world.events_of(item)]
    assert any("is deleted: it could not be cancelled" in note for note in notes), notes
    freed = item["spec"]["targetResource"]
    assert ask(world, "locks", "--target", freed).out.count(freed) == 0
