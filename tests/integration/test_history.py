"""A long history on one target costs the next decision nothing, and goes when it is old enough."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.executions import name_of
from harness.waiting import eventually, holds_for
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object
from workflowexecution.kube.client import PAGE

MANY = 200
LONG_AGO = "2026-01-01T00:00:00Z"


def failed_run(world: World, like: Object, number: int) -> Object:
    """A run on the same target that failed long ago, of an execution that is gone."""
    meta = like["metadata"]
    run = world.tekton.runs.create(
        {
            **{key: like[key] for key in ("apiVersion", "kind", "spec")},
            "metadata": {
                "name": f"{name_of(like).rsplit('-', 1)[0]}-{number}",
                **{key: meta[key] for key in ("namespace", "labels", "annotations")},
            },
        }
    )
    return world.tekton.refuse(run, "CouldntGetPipeline", "not there")


@pytest.fixture(scope="module")
def world(bare_cluster: Cluster) -> Iterator[World]:
    with open_world(bare_cluster) as opened:
        yield opened


def test_a_restart_with_many_failed_runs_on_one_target(world: World, target: str) -> None:
    item, first = world.completed(target)
    world.executions.delete(item)
    world.operator.kill()
    with ThreadPoolExecutor(8) as threads:
        numbers = range(2, MANY + 2)
        list(threads.map(lambda number: failed_run(world, first, number), numbers))
    before = world.proxy.mark()
    world.operator.start()
    # The start lists; it reads no run by itself.
    started = [one for one in world.proxy.since(before) if one.resource]
    assert "get pipelineruns" not in [one.kind for one in started]
    # Of each kind and namespace one list and one watch, and for each source its claim: no request
    # is of one run, however many there are.
    of_claims = [one for one in started if one.resource == "workflowclaims"]
    assert len(of_claims) == 3 * len(world.sources)
    assert len(started) - len(of_claims) <= 20
    # Whole lists of a long history would be more than one request may take, and than fits memory.
    limits = {one.limit for one in started if one.verb == "list"}
    assert 0 < min(limits) <= max(limits) == PAGE
    assert world.operator.metric("workflowexecution_active") == 0

    before, began_at = world.proxy.mark(), time.monotonic()
    _, run = world.launched(target, workflow="other")
    asked = [one.kind for one in world.proxy.since(before)]
    print(f"decided within {time.monotonic() - began_at:.2f} s: {asked}")
    assert len(asked) <= 5
    assert name_of(run).endswith(f"-{MANY + 2}")


def test_old_runs_are_removed_and_young_ones_are_not(bare_cluster: Cluster, target: str) -> None:
    flags = ("--cooldown=1s", "--run-retention=4s", "--failed-run-retention=1h")
    with open_world(bare_cluster, *flags, "--resync-interval=1s") as world:
        old, run = world.completed(target)
        failing, failed = world.launched(f"{target}-fails")
        failed = world.tekton.begin(failed)
        world.tekton.fail(failed)
        world.ended(failing, "Failed")

        def removed() -> None:
            assert world.run_now(run) is None

        # The garbage collector of a cluster that has just started learns of new kinds every 30 s.
        eventually(removed, 60, dump=world.dump)
        assert world.read(old)["status"]["phase"] == "Completed"
        assert world.operator.metric('workflowexecution_retention_removed_total{kind="run"}') == 1
        holds_for(lambda: _assert_there(world, failed), 2)


def test_a_removed_run_keeps_its_name_until_nothing_of_it_is_left(
    bare_cluster: Cluster, target: str
) -> None:
    """Tekton takes what it finds under the name of a TaskRun for its own, whosever it was."""
    flags = ("--cooldown=1s", "--run-retention=1s", "--resync-interval=1s")
    with open_world(bare_cluster, *flags) as world:
        item, run = world.launched(target)
        run = world.tekton.begin(run)
        (task_run,) = world.tekton.task_runs.list(world.execution_namespace)
        world.tekton.task_runs.patch(task_run, {"metadata": {"finalizers": ["example.com/kept"]}})
        world.tekton.succeed(run)
        world.ended(item, "Completed")
        world.executions.delete(item)

        def listed_since(mark: int) -> None:
            asked = [one.kind for one in world.proxy.since(mark)]
            assert asked.count("list pipelineruns") >= 2

        def removed() -> int:
            assert "delete pipelineruns" in [one.kind for one in world.proxy.since()]
            return world.proxy.mark()

        mark = eventually(removed, dump=world.dump)
        eventually(lambda: listed_since(mark), dump=world.dump)
        _, second = world.launched(target)
        assert name_of(second) != name_of(run)
        world.tekton.task_runs.patch(task_run, {"metadata": {"finalizers": None}})


def test_nothing_is_removed_within_a_cooldown(bare_cluster: Cluster, target: str) -> None:
    flags = ("--cooldown=1h", "--run-retention=1s", "--resync-interval=1s")
    with open_world(bare_cluster, *flags) as world:
        _, run = world.completed(target)
        holds_for(lambda: _assert_there(world, run), 4)


def _assert_there(world: World, run: Object) -> None:
    assert world.run_now(run) is not None


def test_deleting_a_failed_execution_keeps_its_run_and_its_cooldown(
    bare_cluster: Cluster, target: str
) -> None:
    with open_world(bare_cluster, "--cancel-grace=1s") as world:
        item, run = world.launched(target)
        run = world.tekton.begin(run)
        world.tekton.fail(run)
        world.ended(item, "Failed")
        world.executions.delete(item)
        holds_for(lambda: _assert_there(world, run), 2)
        world.operator.kill()
        world.operator.start()
        skipped = world.ended(world.create(target), "Skipped")
        assert skipped["status"]["skipDetails"]["reason"] == "RecentlyRemediated"
        _assert_there(world, run)
