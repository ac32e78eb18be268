"""The stories that are played while faults strike, and their endings, which are compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from harness.executions import condition_of, execution, name_of, phase_of, unique_target
from harness.objects import OLD_FINALIZER
from harness.waiting import eventually
from harness.world import World
from localcluster.cluster import Object

PATIENCE_S = 60.0
EVENT_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The end of one execution, without names and times; equal endings mean the same."""

    phase: str
    reason: str
    run_reason: str
    conditions: frozenset[tuple[str, str, str]]
    events: tuple[tuple[str, int], ...]
    runs: int
    is_cancelled: bool


Story = Callable[[World, str], list[Object]]


def target() -> str:
    """A target that no other story knows."""
    return unique_target()


def ending_of(world: World, item: Object) -> Ending:
    """The ending of an execution as it is now; of one that is gone, what its run and Events say."""
    status = (world.executions.get(item["metadata"]["namespace"], name_of(item)) or {}).get(
        "status", {}
    )
    skip, failure = status.get("skipDetails") or {}, status.get("failureDetails") or {}
    runs = world.runs_of(item)
    return Ending(
        phase=status.get("phase", ""),
        reason=skip.get("reason") or failure.get("reason") or "",
        run_reason=(status.get("pipelineRunStatus") or {}).get("reason", ""),
        conditions=frozenset(
            (one["type"], one["status"], one["reason"]) for one in status.get("conditions") or []
        ),
        events=tuple(sorted(Counter(event["reason"] for event in world.events_of(item)).items())),
        runs=len(runs),
        is_cancelled=any(run["spec"].get("status") == "Cancelled" for run in runs),
    )


def life(world: World, target: str) -> list[Object]:
    """Launched, and run to a good end."""
    item, run = launched(world, target)
    run = world.tekton.begin(run)
    world.tekton.succeed(run)
    return [ended(world, item)]


def failure(world: World, target: str) -> list[Object]:
    """Launched, and failed in its first task."""
    item, run = launched(world, target)
    run = world.tekton.begin(run)
    world.tekton.fail(run)
    return [ended(world, item)]


def skip(world: World, target: str) -> list[Object]:
    """One that comes while another has the target, which goes on undisturbed."""
    holder, run = launched(world, target)
    skipped = ended(world, world.create(target, workflow="other"))
    run = world.tekton.begin(run)
    world.tekton.succeed(run)
    return [ended(world, holder), skipped]


def cooldown(world: World, target: str) -> list[Object]:
    """One that comes too soon after the end of another."""
    first = life(world, target)
    return [*first, ended(world, world.create(target))]


def deletion(world: World, target: str) -> list[Object]:
    """Deleted while its run is at work: the run is cancelled, and the target free after it."""
    item, run = launched(world, target)
    run = world.tekton.begin(run)
    has_told(world, item)
    world.executions.delete(item)

    def cancelled() -> Object:
        now = world.run_now(run)
        assert now is not None
        assert now["spec"].get("status") == "Cancelled"
        return now

    run = eventually(cancelled, PATIENCE_S, dump=world.dump)
    world.tekton.obey_cancel(run)
    world.tekton.stop_tasks(run)
    world.gone(item)
    return [item]


def stubborn(world: World, target: str) -> list[Object]:
    """Deleted, and Tekton does not end its run: after a grace the run is deleted."""
    item, run = launched(world, target)
    has_told(world, item)
    world.executions.delete(item)

    def deleted() -> None:
        assert world.run_now(run) is None

    eventually(deleted, PATIENCE_S, dump=world.dump)
    return [item]


def leftover(world: World, target: str) -> list[Object]:
    """Failed, and Tekton leaves a pod: after a grace the pod is deleted."""
    item, run = launched(world, target)
    run = world.tekton.begin(run)
    pod = world.tekton.leave_pod(run)
    world.tekton.fail(run)

    def deleted() -> None:
        assert world.tekton.pods.get(world.execution_namespace, name_of(pod)) is None

    eventually(deleted, PATIENCE_S, dump=world.dump)
    return [ended(world, item)]


def inherited(world: World, target: str) -> list[Object]:
    """Made under an earlier controller, whose finalizer is taken off."""
    item = execution(target, namespace=world.source)
    # From the beginning: one that is put on later may come between the operator's read and write.
    item["metadata"]["finalizers"] = [OLD_FINALIZER]
    item = world.executions.create(item)

    def taken_off() -> None:
        assert not world.read(item)["metadata"].get("finalizers")

    eventually(taken_off, PATIENCE_S, dump=world.dump)
    world.tekton.succeed(world.run_of(item, PATIENCE_S))
    return [ended(world, item)]


def launched(world: World, target: str, **fields: Any) -> tuple[Object, Object]:
    """Create an execution and wait until it is Running; returns it and its run."""
    item = world.in_phase(world.create(target, **fields), "Running", PATIENCE_S)
    return item, world.run_of(item)


def decided(world: World, item: Object) -> Object:
    """Wait until it is decided what becomes of an execution."""

    def check() -> Object:
        found = world.read(item)
        assert phase_of(found) in ("Running", "Completed", "Failed", "Skipped"), phase_of(found)
        return found

    return eventually(check, PATIENCE_S, dump=world.dump)


def ended(world: World, item: Object) -> Object:
    """Wait until an execution has any end."""

    def check() -> Object:
        found = world.read(item)
        assert phase_of(found) in ("Completed", "Failed", "Skipped"), phase_of(found)
        assert condition_of(found, "Reconciling").get("status") != "True"
        return found

    return eventually(check, PATIENCE_S, dump=world.dump)


def has_told(world: World, item: Object) -> None:
    """Give the Event of a launch its time; one that is lost is not waited for."""

    def check() -> None:
        assert world.events_of(item)

    with suppress(AssertionError):
        eventually(check, EVENT_S)
