"""RecentlyRemediated: the same workflow may not run again on a target within the cooldown."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from harness.executions import condition_of, name_of
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object

COOLDOWN = timedelta(minutes=5)


def text_of(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def seconds_of(duration: str) -> int:
    """Whole seconds of `4m58s`."""
    minutes, _, rest = duration.rpartition("m")
    return int(minutes or 0) * 60 + int(rest.removesuffix("s"))


def remediation_of(item: Object) -> Object:
    """The recent remediation that a skip names, after checks that apply to every such skip."""
    status = item["status"]
    assert status["skipDetails"]["reason"] == "RecentlyRemediated"
    assert "conflictingWorkflow" not in status["skipDetails"]
    assert "pipelineRunRef" not in status
    assert condition_of(item, "Succeeded")["reason"] == "RecentlyRemediated"
    recent: Object = status["skipDetails"]["recentRemediation"]
    return recent


@pytest.fixture(scope="module")
def quick(bare_cluster: Cluster) -> Iterator[World]:
    """A world with a cooldown that can be waited for."""
    with open_world(bare_cluster, "--cooldown=3s") as opened:
        yield opened


@pytest.fixture(scope="module")
def without(bare_cluster: Cluster) -> Iterator[World]:
    """A world without a cooldown."""
    with open_world(bare_cluster, "--cooldown=0s") as opened:
        yield opened


@pytest.mark.parametrize("outcome", ["Completed", "Failed"])
def test_the_same_workflow_is_skipped_and_told_for_how_long(
    world: World, target: str, outcome: str
) -> None:
    first, run = world.launched(target, namespace=world.sources[1])
    world.tekton.begin(run)
    end = world.tekton.succeed if outcome == "Completed" else world.tekton.fail
    end(run)
    first = world.ended(first, outcome)
    second = world.ended(world.create(target), "Skipped")

    recent = remediation_of(second)
    remaining = seconds_of(recent.pop("cooldownRemaining"))
    assert recent == {
        "name": name_of(first),
        "namespace": world.sources[1],
        "workflowId": "restart",
        "completedAt": first["status"]["completionTime"],
        "outcome": outcome,
        "targetResource": target,
        "remediationRequestRef": {"name": "request-1", "namespace": world.sources[1]},
    }
    until = time_of(recent["completedAt"]) + COOLDOWN
    assert second["status"]["nextAllowedExecution"] == text_of(until)
    assert condition_of(second, "ResourceLocked")["reason"] == "RecentlyRemediated"
    expected = (until - time_of(second["status"]["skipDetails"]["skippedAt"])).total_seconds()
    assert remaining in (expected - 1, expected)
    assert len(world.runs(target)) == 1


def test_a_different_workflow_may_run_at_once(world: World, target: str) -> None:
    world.completed(target)
    world.launched(target, workflow="another-workflow")


def test_the_cooldown_ends_to_the_second(world: World, target: str) -> None:
    """A run that ended one cooldown ago no longer blocks; a run that ended a moment later does."""
    world.operator.kill()
    now = datetime.now(UTC)
    remember(world, f"{target}-over", now - COOLDOWN)
    remember(world, f"{target}-not-over", now - COOLDOWN + timedelta(seconds=15))
    world.operator.start()
    world.in_phase(world.create(f"{target}-over"), "Running")

    skipped = world.ended(world.create(f"{target}-not-over"), "Skipped")
    assert 1 <= seconds_of(remediation_of(skipped)["cooldownRemaining"]) <= 15


def remember(world: World, target: str, ended_at: datetime) -> None:
    """Leave behind an execution that ended then, its run long removed."""
    status = {
        "phase": "Completed",
        "startTime": text_of(ended_at - timedelta(seconds=5)),
        "completionTime": text_of(ended_at),
        "pipelineRunRef": {"name": "wfe-0123456789abcdef-1"},
    }
    world.executions.patch(world.create(target), {"status": status}, "status")


def test_it_may_run_again_when_the_time_that_was_told_is_over(quick: World, target: str) -> None:
    item, _ = quick.completed(target)
    skipped = quick.ended(quick.create(target), "Skipped")
    recent = remediation_of(skipped)
    until = time_of(recent["completedAt"]) + timedelta(seconds=3)
    assert 1 <= seconds_of(recent["cooldownRemaining"]) <= 3

    def over() -> None:
        assert datetime.now(UTC) >= until

    eventually(over, 5)
    again = quick.in_phase(quick.create(target), "Running")
    assert time_of(again["status"]["startTime"]) >= until
    assert name_of(item) != name_of(again)


def test_a_cooldown_of_zero_is_none(without: World, target: str) -> None:
    without.completed(target)
    without.launched(target)


def test_a_skipped_execution_starts_no_cooldown(without: World, target: str) -> None:
    holder, run = without.launched(target)
    without.ended(without.create(target, workflow="other"), "Skipped")
    without.tekton.begin(run)
    without.tekton.succeed(run)
    without.ended(holder, "Completed")
    without.launched(target, workflow="other")


def test_a_refused_execution_starts_no_cooldown(world: World, target: str) -> None:
    reference = {
        "workflowId": "restart",
        "version": "v1",
        "containerImage": f"registry.example/restart@sha256:{'a' * 64}",
        "containerDigest": f"sha256:{'b' * 64}",
    }
    refused = world.ended(world.create(target, workflowRef=reference), "Failed")
    assert refused["status"]["failureReason"] == "ConfigurationError"
    world.launched(target)


def test_a_deleted_run_still_cools(world: World, target: str) -> None:
    first, run = world.launched(target)
    world.tekton.begin(run)
    world.tekton.stop_tasks(run)
    world.tekton.runs.delete(run)
    first = world.ended(first, "Failed")
    assert "deleted by somebody else" in first["status"]["failureDetails"]["message"]

    recent = remediation_of(world.ended(world.create(target), "Skipped"))
    assert recent["name"] == name_of(first)
    assert recent["outcome"] == "Failed"


def test_deleting_the_execution_does_not_end_the_cooldown(world: World, target: str) -> None:
    first, run = world.completed(target)
    world.executions.delete(first)
    world.gone(first)
    assert world.run_now(run) is not None

    recent = remediation_of(world.ended(world.create(target), "Skipped"))
    assert recent["name"] == name_of(first)
    assert recent["remediationRequestRef"]["name"] == "request-1"


def test_the_cooldown_survives_a_restart(world: World, target: str) -> None:
    first, _ = world.completed(target)
    world.operator.kill()
    world.operator.start()

    recent = remediation_of(world.ended(world.create(target), "Skipped"))
    assert recent["name"] == name_of(first)


CLEAR = {"metadata": {"annotations": {"kubernaut.ai/clear-execution-block": "jane: looked at it"}}}


def failed(world: World, target: str) -> tuple[Object, Object]:
    """An execution whose run has failed, and the run."""
    item, run = world.launched(target)
    world.tekton.fail(world.tekton.begin(run))
    return world.ended(item, "Failed"), run


def test_a_failure_says_when_the_same_may_run_again_and_a_clear_lifts_that(
    world: World, target: str
) -> None:
    item, _ = failed(world, target)
    until = time_of(item["status"]["completionTime"]) + COOLDOWN
    command = f"kubectl wfe clear -n {world.source} {name_of(item)}"
    assert item["status"]["failureDetails"]["naturalLanguageSummary"].endswith(
        f" Workflow restart may run on {target} again from {until:%Y-%m-%d %H:%M:%S} UTC; to lift "
        f"that earlier, once somebody has looked: {command}"
    )
    skipped = world.ended(world.create(target), "Skipped")
    assert skipped["status"]["skipDetails"]["message"].endswith(command)
    world.executions.patch(item, CLEAR)
    failed(world, target)
    # The clear was of the failure before this one.
    world.ended(world.create(target), "Skipped")


def test_a_clear_survives_a_restart_and_the_deletion_of_the_execution(
    world: World, target: str
) -> None:
    """The run is then the only object that has the note; it was written while nobody watched."""
    item, run = failed(world, target)
    other, _ = failed(world, f"{target}-not-cleared")
    world.operator.kill()
    world.tekton.runs.patch(run, CLEAR)
    world.executions.delete(item)
    world.executions.delete(other)
    world.operator.start()
    world.launched(target)
    world.ended(world.create(f"{target}-not-cleared"), "Skipped")


def test_a_success_is_not_cleared(world: World, target: str) -> None:
    item, run = world.completed(target)
    world.tekton.runs.patch(run, CLEAR)
    world.executions.patch(item, CLEAR)
    assert remediation_of(world.ended(world.create(target), "Skipped"))["outcome"] == "Completed"
