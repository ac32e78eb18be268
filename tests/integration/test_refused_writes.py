"""A write that is refused again and again ends in a documented way.

The ends are those of docs/operations/failure-modes.md. ``tests/faults`` shows that what is refused
a few times leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from harness import faults
from harness.exchange import Exchange
from harness.executions import condition_of, name_of, unique, unique_target
from harness.faults import Act, Fault
from harness.objects import OLD_FINALIZER
from harness.plugin_command import ask
from harness.waiting import eventually, holds_for
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object, write_kubeconfig

NO_RIGHT = 'x is forbidden: User "system:serviceaccount:a:b" cannot patch resource "x"'
REFUSED = "denied the request: not in this cluster"
GRACE_S = 3.0
FOR_EVER = 10**6
# What is refused is looked at so long; twice a back-off at its beginning.
WATCHED_S = 4.0
# Pauses grow up to half a minute.
PATIENCE_S = 60.0

FINAL: dict[str, Act] = {
    "400": faults.answer(400, "BadRequest", message=REFUSED),
    "403 of admission": faults.answer(403, "Forbidden", message=REFUSED),
    "413": faults.answer(413, "RequestEntityTooLarge", message=REFUSED),
    "422": faults.answer(422, "Invalid", message=REFUSED),
}
PASSING: dict[str, Act] = {
    "403, a right is missing": faults.answer(403, "Forbidden", message=NO_RIGHT),
    "404": faults.answer(404, "NotFound"),
    "409": faults.answer(409, "Conflict"),
    "410": faults.answer(410, "Expired"),
    "429": faults.answer(429, "TooManyRequests"),
    "500, the webhook is down": faults.answer(500, "InternalError"),
    "503": faults.answer(503, "ServiceUnavailable"),
    "504, the webhook is slow": faults.answer(504, "Timeout"),
    "no answer": faults.drop,
}
EVERY = {**FINAL, **PASSING}


@pytest.fixture(scope="module")
def world(bare_cluster: Cluster) -> Iterator[World]:
    flags = (f"--cancel-grace={GRACE_S}s", "--leftover-grace=1s", "--progress-interval=1s")
    with open_world(bare_cluster, *flags, trouble=True) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _healed(world: World) -> Iterator[None]:
    yield
    world.proxy.heal()


def refuse(world: World, act: Act, kind: str, name: str) -> Fault:
    """Refuse every request of a kind about one object."""

    def matches(exchange: Exchange) -> bool:
        return exchange.kind == kind and exchange.about == name

    return world.proxy.inject(Fault(matches=matches, when="before", act=act, times=FOR_EVER))


def at_work(world: World) -> tuple[Object, Object]:
    item, run = world.launched(unique_target())
    return item, world.tekton.begin(run)


def each(world: World, ways: dict[str, Act]) -> Iterator[tuple[str, Act, Object, Object]]:
    """For each way to be refused an execution of its own, at work."""
    for name, act in ways.items():
        item, run = at_work(world)
        yield name, act, item, run


def told_of(world: World, item: Object, reason: str) -> str:
    """The note of an Event of this reason, which must be there."""
    notes = [event["note"] for event in world.events_of(item) if event["reason"] == reason]
    assert notes, f"no Event {reason}"
    return str(notes[0])


def assert_deleted(world: World, run: Object, which: str) -> None:
    found = world.run_now(run)
    assert found is None or "deletionTimestamp" in found["metadata"], f"{which}: it goes on"


@pytest.mark.parametrize("ways", [FINAL, PASSING], ids=["final", "passing"])
def test_a_run_that_cannot_be_cancelled_is_deleted(world: World, ways: dict[str, Act]) -> None:
    playing = list(each(world, ways))
    tries = {
        which: refuse(world, act, "patch pipelineruns", name_of(run))
        for which, act, _, run in playing
    }
    for _, _, item, _ in playing:
        world.executions.delete(item)

    for which, _, item, run in playing:
        eventually(partial(assert_deleted, world, run, which), PATIENCE_S, dump=world.dump)
        note = eventually(partial(told_of, world, item, "PipelineRunDeleted"))
        assert "it could not be cancelled (" in note, which
        assert "its WorkflowExecution was deleted" in note
        eventually(partial(told_of, world, item, "WorkflowExecutionDeleted"))
    for which, fault in tries.items():
        # Once where the answer is final; else with growing pauses.
        assert fault.struck == 1 if which in FINAL else 2 <= fault.struck <= 40, which


def test_a_run_that_is_not_cancelled_though_that_was_accepted(world: World) -> None:
    """Something writes `spec.status` back as it was."""
    item, run = at_work(world)
    unchanged = world.run_now(run)
    assert unchanged is not None
    fault = refuse(world, faults.given(unchanged), "patch pipelineruns", name_of(run))

    world.executions.delete(item)

    eventually(lambda: assert_deleted(world, run, "kept"), dump=world.dump)
    note = eventually(lambda: told_of(world, item, "PipelineRunDeleted"))
    assert "something has made it ''" in note
    assert fault.struck == 1


def test_a_run_that_can_neither_be_cancelled_nor_deleted(world: World) -> None:
    """The same for refusals that may pass takes minutes: see the unit tests of ``run_actions``."""
    playing = list(each(world, FINAL))
    tries = []
    for _, act, item, run in playing:
        for kind in ("patch pipelineruns", "delete pipelineruns"):
            tries.append(refuse(world, act, kind, name_of(run)))
        world.executions.delete(item)

    for _, _, item, _ in playing:
        note = eventually(
            partial(told_of, world, item, "PipelineRunNotEnded"),
            PATIENCE_S,
            dump=world.dump,
        )
        assert "works on, so its target stays held: it cannot be deleted (" in note
        assert REFUSED in note
    assert world.operator.metric("workflowexecution_stuck_runs") == len(playing)
    before = sum(one.struck for one in tries)
    holds_for(lambda: None, 2 * GRACE_S)
    asked = sum(one.struck for one in tries) - before
    assert len(playing) <= asked <= 8 * len(playing), "given up, or hot"

    world.proxy.heal()

    for which, _, _, run in playing:
        eventually(
            partial(assert_deleted, world, run, which),
            PATIENCE_S,
            dump=world.dump,
        )


def test_pods_that_may_not_be_deleted(world: World) -> None:
    """Each is tried whatever becomes of the others, and the status says who refuses it."""
    playing = []
    for which, act in EVERY.items():
        if which in ("404", "409"):
            # To the operator, it is gone: what is left is read again.
            continue
        item, run = at_work(world)
        pod = world.tekton.leave_pod(run)
        fault = refuse(world, act, "delete pods", name_of(pod))
        world.tekton.fail(run)
        playing.append((which, item, pod, fault))

    for which, item, pod, _ in playing:

        def is_told(which: str = which, item: Object = item, pod: Object = pod) -> None:
            told = condition_of(world.read(item), "Succeeded")
            assert told["reason"] == "Stopping", which
            assert name_of(pod) in told["message"], which
            assert "; it cannot be deleted: DELETE " in told["message"], which
            if which in FINAL or which.startswith("403"):
                told_of(world, item, "PodStuck")

        eventually(is_told, dump=world.dump)
    before = sum(fault.struck for *_, fault in playing)
    holds_for(lambda: None, WATCHED_S)
    assert sum(fault.struck for *_, fault in playing) - before <= 4 * len(playing)
    world.proxy.heal()
    for _, item, _, _ in playing:
        world.ended(item, "Failed", 30)


def test_a_status_that_may_not_be_written(world: World) -> None:
    """The run is made all the same: it is the lock. What the status cannot say, an Event does."""
    playing = []
    for which, act in EVERY.items():
        name = unique("wfe")
        fault = refuse(world, act, "patch workflowexecutions/status", name)
        item = world.create(unique_target(), name=name)
        playing.append((which, item, fault))

    for which, item, _ in playing:
        run = world.run_of(item)
        run = world.tekton.begin(run)
        world.tekton.succeed(run)
        if which in FINAL or which.startswith("403"):
            note = eventually(partial(told_of, world, item, "StatusNotWritten"))
            assert "the status cannot be written" in note, which
    before = sum(fault.struck for *_, fault in playing)
    holds_for(lambda: None, WATCHED_S)
    assert sum(fault.struck for *_, fault in playing) - before <= 6 * len(playing)
    world.proxy.heal()
    for _, item, _ in playing:
        world.ended(item, "Completed", 60)


def test_an_old_finalizer_that_may_not_be_taken_off(world: World) -> None:
    """It keeps its execution from being served: that is said, whoever refuses it."""
    playing = []
    for which, act in {
        **FINAL,
        "403, a right is missing": EVERY["403, a right is missing"],
    }.items():
        item, _ = at_work(world)
        refuse(world, act, "patch workflowexecutions", name_of(item))
        world.executions.patch(item, {"metadata": {"finalizers": [OLD_FINALIZER]}})
        playing.append((which, item))

    for which, item in playing:

        def is_told(which: str = which, item: Object = item) -> None:
            told = condition_of(world.read(item), "Succeeded")
            assert told["reason"] == "Waiting", which
            assert "does not answer as needed" in told["message"], which

        eventually(is_told, dump=world.dump)
    world.proxy.heal()
    for _, item in playing:
        eventually(partial(_assert_no_finalizer, world, item), 60, dump=world.dump)


def test_a_cancel_by_a_person_that_is_refused(world: World) -> None:
    """They are told by whom, and what to do instead."""
    item, run = at_work(world)
    admin = world.cluster.token
    path = world.folder / "person.kubeconfig"
    config = str(write_kubeconfig(path, world.proxy.url, world.cluster.ca, admin))
    refuse(world, FINAL["400"], "patch pipelineruns", name_of(run))

    told = ask(world, "cancel", name_of(item), kubeconfig=config)

    assert told.status == 1
    assert f"{name_of(run)} cannot be cancelled: denied the request: " in told.err
    assert REFUSED in told.err
    assert told.err.endswith(f"kubectl wfe cancel --delete -n {world.source} {name_of(item)}\n")
    world.proxy.heal()
    refuse(world, PASSING["500, the webhook is down"], "patch pipelineruns", name_of(run))
    told = ask(world, "cancel", name_of(item), kubeconfig=config)
    assert told.status == 5
    assert "is perhaps not cancelled" in told.err


def _assert_no_finalizer(world: World, item: Object) -> None:
    assert "finalizers" not in world.read(item)["metadata"]
