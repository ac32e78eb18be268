"""Three runs that wait for different things, at once: each says for what, in the end too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from field.situation import push_pipeline, workflow
from harness.beside_tekton import stopped
from harness.executions import condition_of, name_of, unique
from harness.waiting import eventually
from harness.world import World
from localcluster import ApiError
from localcluster.cluster import Object

HERE = Path(__file__).parent
LIMIT = {"timeout": "50s"}
NO_ROOM, NO_QUOTA, NO_RESOLVER = "cannot be scheduled: 0/1 nodes", " quota: none-", "resolver"


def test_each_says_what_it_waits_for_and_why_it_failed(node_world: World) -> None:
    world = node_world
    image, nowhere = (
        push_pipeline(world.cluster, HERE, file) for file in ("pipeline.yaml", "nowhere.yaml")
    )
    with ExitStack() as while_waiting:
        room, _ = _launched(world, nowhere)
        eventually(lambda: _assert_has_task_run(world, room))
        while_waiting.enter_context(_no_task_runs(world))
        quota, _ = _launched(world, image)
        eventually(lambda: _assert_resolved(world, quota))
        while_waiting.enter_context(stopped(world.cluster, "resolvers"))
        resolver, _ = _launched(world, nowhere.partition("@")[0])
        for item, said in ((room, NO_ROOM), (quota, NO_QUOTA), (resolver, NO_RESOLVER)):
            eventually(lambda item=item, said=said: _assert_says(world, item, said), 60)  # type: ignore[misc]

        ended = [world.ended(item, "Failed", 90) for item in (room, quota, resolver)]

    for item, reason, said in zip(
        ended,
        ("ResourceExhausted", "ResourceExhausted", "ImagePullBackOff"),
        (NO_ROOM, NO_QUOTA, "resolution took longer than"),
        strict=True,
    ):
        failure = item["status"]["failureDetails"]
        assert (failure["reason"], failure["wasExecutionFailure"]) == (reason, False), failure[
            "message"
        ]
        assert said in failure["message"]
        assert "raise the time limit" not in failure["naturalLanguageSummary"]


def _launched(world: World, image: str) -> tuple[Object, Object]:
    target = f"{world.source}/Deployment/{unique('x')}"
    return world.launched(target, executionConfig=LIMIT, **workflow(image))


@contextmanager
def _no_task_runs(world: World) -> Iterator[None]:
    quotas = f"/api/v1/namespaces/{world.execution_namespace}/resourcequotas"
    hard = {"count/taskruns.tekton.dev": "0"}
    body = {"metadata": {"name": unique("none")}, "spec": {"hard": hard}}
    path = f"{quotas}/{world.cluster.request('POST', quotas, body)['metadata']['name']}"
    eventually(lambda: _assert_in_force(world))
    yield
    world.cluster.request("DELETE", path)


def _assert_in_force(world: World) -> None:
    """A quota that is new is not known to the whole API server at once."""
    path = f"/apis/tekton.dev/v1/namespaces/{world.execution_namespace}/taskruns?dryRun=All"
    body = {
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": {"name": "probe"},
        "spec": {"taskRef": {"name": "none"}},
    }
    said = ""
    try:
        world.cluster.request("POST", path, body)
    except ApiError as error:
        said = str(error)
    assert NO_QUOTA in said


def _assert_has_task_run(world: World, item: Object) -> None:
    run = world.run_of(item)
    path = f"/apis/tekton.dev/v1/namespaces/{world.execution_namespace}/taskruns"
    selector = f"labelSelector=tekton.dev/pipelineRun={name_of(run)}"
    assert world.cluster.request("GET", f"{path}?{selector}")["items"]


def _assert_resolved(world: World, item: Object) -> None:
    assert world.run_of(item).get("status", {}).get("pipelineSpec")


def _assert_says(world: World, item: Object, said: str) -> None:
    condition = condition_of(world.read(item), "Succeeded")
    assert (condition["status"], condition["reason"]) == ("Unknown", "Waiting"), str(condition)
    assert said in condition["message"]
