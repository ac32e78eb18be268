"""Replies that never came: what was asked may be done all the same, and is told of once."""

from collections.abc import Iterator

import pytest

from harness import faults, rights
from harness.executions import condition_of, name_of
from harness.faults import Fault
from harness.objects import Objects
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object

CREATE = faults.kind("create pipelineruns")
STATUS = faults.kind("patch workflowexecutions/status")
BINDING = (
    "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings/workflowexecution-controller"
)


@pytest.fixture
def world(bare_cluster: Cluster) -> Iterator[World]:
    """A world for each test: what is counted is counted from nothing."""
    with open_world(bare_cluster) as opened:
        yield opened


def test_a_refusal_is_not_final_while_an_earlier_create_may_still_be_carried_out(
    world: World, target: str
) -> None:
    world.proxy.inject(Fault(matches=CREATE, when="before", act=faults.drop))
    refuse = faults.answer(403, "Forbidden")
    refused = world.proxy.inject(Fault(matches=CREATE, when="before", act=refuse, times=2))
    item = world.in_phase(world.create(target), "Running")
    assert refused.struck == 2
    assert len(world.runs_of(item)) == 1


def test_a_refusal_is_final_where_nothing_is_in_doubt(world: World, target: str) -> None:
    refuse = faults.answer(403, "Forbidden")
    world.proxy.inject(Fault(matches=CREATE, when="before", act=refuse))
    failure = world.ended(world.create(target), "Failed")["status"]["failureDetails"]
    assert failure["reason"] == "Forbidden"


def test_a_missing_right_is_waited_for(world: World, target: str, bare_cluster: Cluster) -> None:
    """As in the midst of an upgrade, when a role binding is replaced."""
    bare_cluster.request("DELETE", BINDING.format(world.execution_namespace))
    item = world.in_phase(world.create(target), "Pending")
    assert "cannot create resource" in condition_of(item, "Succeeded")["message"]
    rights.extend_to(bare_cluster, world.execution_namespace)
    world.in_phase(item, "Running", 60)


def test_what_is_too_large_is_refused_once(world: World, target: str) -> None:
    too_large = faults.answer(413, "RequestEntityTooLarge")
    fault = world.proxy.inject(Fault(matches=CREATE, when="before", act=too_large, times=2))
    failure = world.ended(world.create(target), "Failed")["status"]["failureDetails"]
    assert (failure["reason"], fault.struck) == ("ConfigurationError", 1)


@pytest.mark.parametrize("skip", [0, 1])
def test_events_and_metrics_of_a_write_whose_reply_was_lost(
    world: World, target: str, skip: int
) -> None:
    world.proxy.inject(Fault(matches=STATUS, when="after", act=faults.drop, skip=skip))
    item, _ = world.completed(target)

    def told() -> list[Object]:
        events = world.events_of(item)
        assert len(events) == 2
        return events

    reasons = {event["reason"] for event in eventually(told, dump=world.dump)}
    assert reasons == {"PipelineRunCreated", "WorkflowCompleted"}
    assert world.operator.metric('workflowexecution_total{outcome="Completed"}') == 1
    assert world.operator.metric("workflowexecution_pipelinerun_creation_total") == 1


def test_what_the_server_asks_to_wait_is_waited(world: World, target: str) -> None:
    """Without it, the first repetition comes within a fifth of a second."""
    slow = faults.answer(429, "TooManyRequests", retry_after=2)
    world.proxy.inject(Fault(matches=STATUS, when="before", act=slow))
    world.launched(target)
    waits = [
        line["retry_in_s"]
        for line in world.operator.log_lines()
        if line["event"] == "reconcile failed; it will be repeated"
    ]
    assert waits
    assert waits[0] >= 2


def test_another_execution_namespace_does_not_free_a_target(
    world: World, target: str, bare_cluster: Cluster
) -> None:
    """Its run is where it was made, and is followed there until it ends."""
    item, run = world.launched(target)
    world.operator.stop()
    claims = Objects(bare_cluster, "workflowclaims")
    for source in world.sources:
        (claim,) = claims.list(source)
        claims.delete(claim)
    other = world.new_operator(world.proxy.url, f"--execution-namespace={world.sources[1]}")
    rights.extend_to(bare_cluster, world.sources[1])
    other.start()
    skipped = world.ended(world.create(target, workflow="other"), "Skipped")
    conflict = skipped["status"]["skipDetails"]["conflictingWorkflow"]
    assert conflict["name"] == name_of(item)
    run = world.tekton.begin(run)
    world.tekton.succeed(run)
    assert world.ended(item, "Completed")["status"]["pipelineRunRef"] == {
        "name": name_of(run),
        "namespace": world.execution_namespace,
    }
    other.stop()
