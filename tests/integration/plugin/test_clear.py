"""`kubectl wfe clear`: who cleared what and why, on the execution, on its run, and in an Event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from harness import rights
from harness.executions import name_of, unique_target
from harness.plugin_command import ask
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object
from workflowexecution.api import reading

CLEAR = "kubernaut.ai/clear-execution-block"
SECOND = timedelta(seconds=1)
GUARDS = ("--guard-failed", "--guard-retries")


@pytest.fixture(scope="module")
def guarded(bare_cluster: Cluster) -> Iterator[World]:
    with open_world(bare_cluster, *GUARDS, "--cooldown=0s") as opened:
        yield opened


def failed(world: World, target: str) -> tuple[Object, Object]:
    item, run = world.launched(target)
    world.tekton.fail(world.tekton.begin(run))
    return world.ended(item, "Failed"), run


def _assert_over(item: Object) -> None:
    """The second in which an execution ended is over."""
    assert datetime.now(UTC) - reading.parse_time(item["status"]["completionTime"]) > SECOND


def note_on(world: World, item: Object | None) -> str:
    assert item is not None
    return str(item["metadata"].get("annotations", {}).get(CLEAR, ""))


def test_why_and_can_run_tell_of_the_guard_and_clear_lifts_it(guarded: World) -> None:
    world, target = guarded, unique_target()
    item, run = failed(world, target)
    skipped = world.ended(world.create(target), "Skipped")
    command = f"kubectl wfe clear -n {world.source} {name_of(item)}"

    foretold = ask(world, "can-run", "--target", target, "--workflow", "restart")
    assert foretold.status == 11
    assert foretold.out.startswith("no (PreviousExecutionFailed): ")
    assert foretold.out.endswith(f"{command}\n")
    why = ask(world, "why", name_of(skipped), "-o", "json")
    found = json.loads(why.out)
    assert (found["reason"], found["mayRunNow"]) == ("PreviousExecutionFailed", False)
    assert found["again"] == f"once a person clears it: {command}"

    told = ask(world, "clear", name_of(skipped), "--reason", "rolled back by hand")
    assert told.status == 0, told.err
    assert told.out.startswith(f"cleared: workflow restart may run on target {target} again")
    note = note_on(world, world.read(item))
    assert note.endswith(": rolled back by hand")
    assert note_on(world, world.run_now(run)) == note
    (event,) = [one for one in world.events_of(item) if one["reason"] == "ExecutionBlockCleared"]
    assert event["note"].endswith(note)
    assert event["reportingController"] == "kubectl-wfe"
    world.launched(target)


def test_when_the_execution_is_gone_its_run_is_cleared(guarded: World) -> None:
    world, target = guarded, unique_target()
    item, run = failed(world, target)
    world.executions.delete(item)
    world.gone(item)
    skipped = world.ended(world.create(target), "Skipped")
    # What the status tells a person to do works, though that execution is gone.
    command = skipped["status"]["skipDetails"]["message"].rpartition("kubectl wfe ")[2]
    assert command == f"clear -n {world.source} {name_of(item)}"
    assert ask(world, "clear", name_of(item), "--reason", "looked").status == 0
    assert note_on(world, world.run_now(run))

    def launched() -> None:
        again = world.create(target)
        eventually(lambda: _assert_decided(world, again))
        assert world.read(again)["status"]["phase"] == "Running"

    eventually(launched)


def _assert_decided(world: World, item: Object) -> None:
    assert world.read(item).get("status", {}).get("phase") in ("Running", "Skipped")


def test_what_needs_no_clearing_is_told(guarded: World) -> None:
    world, target = guarded, unique_target()
    item, _ = world.completed(target)
    told = ask(world, "clear", name_of(item), "--reason", "x")
    assert told.status == 1
    assert "which ended as Completed" in told.err
    failing, _ = failed(world, target)
    assert ask(world, "clear", name_of(failing), "--reason", "x").status == 0
    told = ask(world, "clear", name_of(failing), "--reason", "x")
    assert (told.status, "is cleared already" in told.err) == (1, True)


def test_a_clear_lifts_the_cooldown_of_a_failure(world: World) -> None:
    target = unique_target()
    item, run = failed(world, target)
    skipped = world.ended(world.create(target), "Skipped")
    told = ask(world, "clear", name_of(skipped), "--reason", "the bundle is mended")
    assert told.status == 0, told.err
    assert (
        told.out.split()
        == (
            f"cleared: workflow restart may run on target {target} again; noted on "
            f"WorkflowExecution {world.source}/{name_of(item)} and PipelineRun {name_of(run)}"
        ).split()
    )
    assert "nothing cools down" in ask(world, "cooldowns", "--target", target).err
    can = ask(world, "can-run", "--target", target, "--workflow", "restart")
    assert can.out.startswith("yes: ")
    world.launched(target)


def test_a_failure_without_a_run_is_cleared_with_the_one_that_cools_down(world: World) -> None:
    target = unique_target()
    item, run = failed(world, target)
    # Which of two ended last is seen by the second.
    eventually(lambda: _assert_over(item))
    wrong = {
        "workflowId": "restart",
        "version": "v1",
        "containerImage": f"registry.example/restart@sha256:{'a' * 64}",
        "containerDigest": f"sha256:{'b' * 64}",
    }
    refused = world.ended(world.create(target, workflowRef=wrong), "Failed")
    told = ask(world, "clear", name_of(refused), "--reason", "the digest was wrong")
    assert told.status == 0, told.err
    for noted in (refused, item):
        assert note_on(world, world.read(noted)).endswith(": the digest was wrong")
    assert note_on(world, world.run_now(run)).endswith(": the digest was wrong")
    world.launched(target)


def test_who_may_not_clear_is_told_which_role_gives_it(guarded: World) -> None:
    world, target = guarded, unique_target()
    item, _ = failed(world, target)
    group = "workflowexecution.kubernaut.ai"
    read = {"verbs": ["get", "list"]}
    mine = {"apiGroups": [group], "resources": ["workflowexecutions"], **read}
    runs = {"apiGroups": ["tekton.dev"], "resources": ["pipelineruns", "taskruns"], **read}
    pods = {"apiGroups": [""], "resources": ["pods"], **read}
    rules = {world.source: [mine], world.execution_namespace: [runs, pods]}
    kubeconfig = rights.kubeconfig_of(
        world.cluster, world.sources[1], "reader", rules, world.folder
    )
    told = ask(world, "clear", name_of(item), "--reason", "x", kubeconfig=str(kubeconfig))
    assert told.status == 4
    assert note_on(world, world.read(item)) == ""
