"""Guards that can be turned on: what has failed is not tried again before a person has looked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from harness import rights
from harness.executions import name_of
from harness.waiting import eventually, holds_for
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object
from workflowexecution.orchestrator import NextStep, interpret

CLEAR = "kubernaut.ai/clear-execution-block"
GUARDS = ("--guard-failed", "--guard-retries", "--retry-limit=3")
# Long enough to be asked in, on a busy machine too.
PAUSES = ("--first-retry-pause=3s", "--longest-retry-pause=6s")
WRONG: dict[str, Any] = {
    "workflowId": "restart",
    "version": "v1",
    "containerImage": f"registry.example/restart@sha256:{'a' * 64}",
    "containerDigest": f"sha256:{'b' * 64}",
}


@pytest.fixture(scope="module")
def world(bare_cluster: Cluster) -> Iterator[World]:
    """Both guards are on, and no cooldown stands in their way."""
    with open_world(bare_cluster, *GUARDS, *PAUSES, "--cooldown=0s") as opened:
        yield opened


def failed(world: World, target: str, **fields: object) -> tuple[Object, Object]:
    """An execution that has failed at work, and its run."""
    item, run = world.launched(target, **fields)
    run = world.tekton.begin(run)
    world.tekton.fail(run)
    return world.ended(item, "Failed"), run


def blocked(
    world: World, target: str, by: Object, reason: str = "PreviousExecutionFailed"
) -> Object:
    """The next one, which must be skipped because of this failure."""
    skipped = world.ended(world.create(target), "Skipped")
    details = skipped["status"]["skipDetails"]
    assert details["reason"] == reason, details
    recent = details["recentRemediation"]
    assert (recent["name"], recent["outcome"]) == (name_of(by), "Failed")
    assert "cooldownRemaining" not in recent
    assert f"kubectl wfe clear -n {world.source} {name_of(by)}" in details["message"]
    told = interpret(skipped)
    assert (told.next_step, told.duplicate_of) == (NextStep.ASK_A_PERSON, None)
    return skipped


def clear(world: World, item: Object) -> None:
    """Clear a failure as a person does with kubectl alone."""
    kind = world.tekton.runs if item["kind"] == "PipelineRun" else world.executions
    kind.patch(item, {"metadata": {"annotations": {CLEAR: "jane: looked at it"}}})


def test_after_a_failure_at_work_it_is_skipped_until_a_person_clears_it(
    world: World, target: str
) -> None:
    first, _ = failed(world, target)
    eventually(lambda: _assert_told(world, first))
    mark = world.proxy.mark()
    blocked(world, target, first)
    # A skip that rests on what is known costs no read.
    cost = {"patch workflowexecutions/status": 1, "create events": 1}
    eventually(lambda: _assert_asked(world, mark, cost))
    world.completed(target, workflow="another")
    blocked(world, target, first)
    clear(world, first)
    second, _ = failed(world, target)
    blocked(world, target, second)
    clear(world, second)
    world.completed(target)
    world.launched(target)


def _assert_told(world: World, item: Object) -> None:
    assert len(world.events_of(item)) == 2


def _assert_asked(world: World, mark: int, expected: dict[str, int]) -> None:
    assert Counter(one.kind for one in world.proxy.since(mark)) == expected


def test_a_restart_forgets_nothing_and_a_run_remembers_for_its_execution(
    world: World, target: str
) -> None:
    first, run = failed(world, target)
    cleared, _ = failed(world, f"{target}-cleared")
    clear(world, cleared)
    world.operator.kill()
    world.operator.start()
    blocked(world, target, first)
    world.launched(f"{target}-cleared")

    world.executions.delete(first)
    world.gone(first)
    blocked(world, target, first)
    world.operator.kill()
    world.operator.start()
    blocked(world, target, first)
    clear(world, run)
    eventually(lambda: _assert_launched(world, target), dump=world.dump)


def _assert_launched(world: World, target: str) -> None:
    item = world.create(target)

    def decided() -> str:
        phase = world.read(item).get("status", {}).get("phase", "")
        assert phase in ("Running", "Skipped")
        return str(phase)

    assert eventually(decided) == "Running"


def test_a_clear_while_nobody_watched_counts(world: World, target: str) -> None:
    first, _ = failed(world, target)
    world.operator.kill()
    clear(world, first)
    world.operator.start()
    world.launched(target)


def test_who_deletes_both_has_lifted_the_guard(world: World, target: str) -> None:
    first, run = failed(world, target)
    world.executions.delete(first)
    world.tekton.runs.delete(run)
    world.operator.kill()

    def gone() -> None:
        assert world.run_now(run) is None

    eventually(gone)
    world.operator.start()
    world.launched(target)


def refused(world: World, target: str) -> Object:
    """An execution that fails before anything of it has begun."""
    return world.ended(world.create(target, workflowRef=WRONG), "Failed")


def until(text: str) -> None:
    """Wait until the moment that a status has told."""
    moment = datetime.fromisoformat(text)

    def over() -> None:
        assert datetime.now(UTC) >= moment

    eventually(over)


def test_failures_before_it_begins_are_counted_with_growing_pauses_up_to_the_limit(
    world: World, target: str
) -> None:
    pauses = []
    for number, longest in ((1, 3), (2, 6)):
        item = refused(world, target)
        status = item["status"]
        assert status["consecutiveFailures"] == number
        skipped = world.ended(world.create(target), "Skipped")["status"]
        details = skipped["skipDetails"]
        assert details["reason"] == "RecentlyRemediated"
        left = details["recentRemediation"]["cooldownRemaining"]
        assert left in {f"{seconds}s" for seconds in range(1, longest + 1)}
        assert skipped["consecutiveFailures"] == number
        assert skipped["nextAllowedExecution"] == status["nextAllowedExecution"]
        ended = datetime.fromisoformat(status["completionTime"])
        pauses.append((datetime.fromisoformat(status["nextAllowedExecution"]) - ended).seconds)
        until(status["nextAllowedExecution"])
    assert pauses == [3, 6]
    third = refused(world, target)
    assert third["status"]["consecutiveFailures"] == 3
    assert "nextAllowedExecution" not in third["status"]
    skipped = blocked(world, target, third, "ExhaustedRetries")
    assert skipped["status"]["consecutiveFailures"] == 3
    world.operator.kill()
    world.operator.start()
    blocked(world, target, third, "ExhaustedRetries")
    world.launched(target, workflow="another")
    clear(world, third)
    eventually(lambda: _assert_not_exhausted(world, target))


def _assert_not_exhausted(world: World, target: str) -> None:
    skipped = world.ended(world.create(target), "Skipped")["status"]["skipDetails"]
    assert skipped["reason"] == "ResourceBusy"


def test_a_run_that_never_began_is_counted_and_no_failure_at_work(
    world: World, target: str
) -> None:
    item, run = world.launched(target)
    world.tekton.refuse(run, "CouldntGetPipeline", "there is no such bundle")
    status = world.ended(item, "Failed")["status"]
    assert status["consecutiveFailures"] == 1
    until(status["nextAllowedExecution"])
    world.completed(target)
    again, run = world.launched(target)
    world.tekton.refuse(run, "CouldntGetPipeline", "there is no such bundle")
    assert world.ended(again, "Failed")["status"]["consecutiveFailures"] == 1


def test_a_status_that_somebody_edits_counts_as_it_is(world: World, target: str) -> None:
    first = refused(world, target)
    world.executions.patch(first, {"status": {"consecutiveFailures": 3}}, "status")
    eventually(lambda: blocked(world, target, first, "ExhaustedRetries"))
    world.executions.patch(first, {"status": {"consecutiveFailures": None}}, "status")
    eventually(lambda: _assert_launched(world, target))


def test_retention_leaves_what_a_guard_rests_on(bare_cluster: Cluster, target: str) -> None:
    kept = ("--failed-run-retention=1s", "--execution-retention=1s", "--resync-interval=1s")
    with open_world(bare_cluster, *GUARDS, "--cooldown=0s", *kept, started=False) as world:
        for namespace in world.sources:
            rights.let_remove_executions(bare_cluster, namespace)
        world.operator.start()
        other, _ = failed(world, target, workflow="other")
        first, run = failed(world, target)
        clear(world, other)

        def removed() -> None:
            assert world.executions.get(world.source, name_of(other)) is None

        eventually(removed, 30, dump=world.dump)
        holds_for(lambda: _assert_there(world, first, run), 3)
        blocked(world, target, first)


def _assert_there(world: World, item: Object, run: Object) -> None:
    assert world.executions.get(world.source, name_of(item)) is not None
    assert world.run_now(run) is not None


def test_who_takes_over_the_lead_knows_what_was_known(bare_cluster: Cluster, target: str) -> None:
    with open_world(bare_cluster, *GUARDS, "--cooldown=0s", "--leader-election") as world:
        second = world.new_operator(world.proxy.url)
        second.start()
        first, _ = failed(world, target)
        world.operator.stop()
        blocked(world, target, first)
        second.stop()


def test_with_the_guards_off_nothing_of_this_happens(bare_cluster: Cluster, target: str) -> None:
    with open_world(bare_cluster, "--cooldown=0s") as world:
        for _ in range(2):
            item, _ = failed(world, target)
            assert not {"consecutiveFailures", "nextAllowedExecution"} & item["status"].keys()
        for _ in range(4):
            status = refused(world, target)["status"]
            assert not {"consecutiveFailures", "nextAllowedExecution"} & status.keys()
        world.launched(target)
