"""A run is ended in one way after the other, and what each came to is remembered and told."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from builders import NOW, RUN_NAMESPACE, TARGET, make_policy, make_run, raw_run, run_status
from clocks import FixedClock
from workflowexecution.cache.memory import Attempt, Memory
from workflowexecution.cache.store import Store
from workflowexecution.client.cluster import Cluster
from workflowexecution.controller.context import Context
from workflowexecution.controller.live_reads import LiveReads
from workflowexecution.controller.recorder import Recorder
from workflowexecution.controller.run_actions import RunActions
from workflowexecution.core.evidence import holder_of
from workflowexecution.core.facts.decoding import parse_run
from workflowexecution.core.facts.run import Asked, Run
from workflowexecution.core.run_ending import EndReason, EndRun, Way
from workflowexecution.kube import errors

CANCEL = EndRun(Way.CANCEL, EndReason.EXECUTION_DELETED)
DELETE = EndRun(Way.DELETE, EndReason.EXECUTION_DELETED)
UNANSWERED = errors.UnavailableError("no answer")
NO_RIGHT = errors.MissingRightError("you may not")
REFUSED = errors.RejectedError("only status updates")


class Server:
    """Holds one run. The next write is answered with an error, after it was carried out or not."""

    def __init__(self) -> None:
        self.run: dict[str, Any] | None = raw_run("mine", status=run_status())
        self.error: errors.ApiError | None = None
        self.is_carried_out = True
        self.writes: list[str] = []

    async def get_run(self, _: str, name: str) -> dict[str, Any]:
        if self.run is None:
            raise errors.NotFoundError("gone", name=name)
        return self.run

    async def cancel_run(self, _: Run, asked: Asked) -> dict[str, Any]:
        self._write(str(asked), lambda: self._change(spec={"status": str(asked)}))
        return await self.get_run("", "")

    async def delete_run(self, _: Run) -> None:
        self._write("delete", lambda: self._change(deleted_at=NOW))

    def _change(self, **what: Any) -> None:
        version = len(self.writes) + 1
        self.run = raw_run("mine", status=run_status(), version=version, **what)

    def _write(self, what: str, carry_out: Callable[[], None]) -> None:
        self.writes.append(what)
        if self.is_carried_out:
            carry_out()
        if self.error is not None:
            raise self.error


class Queue:
    """Takes keys, and does nothing with them."""

    def add(self, _: object) -> None: ...


class Told:
    """Keeps the reason of what is told."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.notes: list[str] = []

    def about_run(self, _: Run, reason: str, note: str, **__: Any) -> None:
        self.reasons.append(reason)
        self.notes.append(note)

    def lock_violated(self, _: Run, note: str) -> None:
        self.about_run(_, "LockViolated", note)

    def lock_released(self, _: Run) -> None:
        self.about_run(_, "LockReleased", "")


class Desk:
    """A run ender, and all it works with."""

    def __init__(self) -> None:
        self.server, self.told = Server(), Told()
        self.clock, self.memory = FixedClock(NOW), Memory()
        self.store = Store(RUN_NAMESPACE)
        cluster = cast(Cluster, self.server)
        queue = cast(Any, Queue())
        recorder = cast(Recorder, self.told)
        context = Context(
            cluster, self.store, self.memory, recorder, make_policy(), self.clock, queue, queue
        )
        self.reader = LiveReads(context)
        self.actions = RunActions(context, self.reader)
        assert self.server.run is not None
        run = parse_run(self.server.run)
        assert run is not None
        self.reader.take_in(run)

    @property
    def run(self) -> Run:
        """The run as it is known."""
        (found,) = self.store.runs()
        return found


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_cancel_is_told_once_and_its_time_counts_from_then(desk: Desk) -> None:
    await desk.actions.end(desk.run, CANCEL)
    desk.clock.advance(30)
    assert desk.run.asked is Asked.CANCEL
    assert desk.told.reasons == ["WorkflowExecutionDeleted"]
    assert desk.actions.tried(desk.run)[Way.CANCEL].ago.total_seconds() == 30
    assert "is being cancelled" in desk.actions.describe(desk.run)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (EndReason.EXECUTION_DELETED, True),
        (EndReason.EXECUTION_ENDED, True),
        # Its execution is there, and its last phase tells that the target is free.
        (EndReason.SECOND_ON_TARGET, False),
        (EndReason.CANCELLED, False),
    ],
)
async def test_the_release_of_a_target_is_told_once_where_no_status_tells_it(
    desk: Desk, reason: EndReason, told: bool
) -> None:
    key = desk.run.key
    await desk.actions.end(desk.run, EndRun(Way.CANCEL, reason))
    assert "LockReleased" not in desk.told.reasons
    for _ in range(2):
        desk.actions.let_go(key)
    assert desk.told.reasons.count("LockReleased") == told


async def test_what_others_asked_for_counts_from_when_it_is_seen(desk: Desk) -> None:
    cancelled = make_run("mine", spec={"status": "CancelledRunFinally"})
    assert list(desk.actions.tried(cancelled)) == [Way.CANCEL_FIRST]
    desk.clock.advance(5)
    assert desk.actions.tried(cancelled)[Way.CANCEL_FIRST].ago.total_seconds() == 5


@pytest.mark.parametrize(("verdict", "told"), [(CANCEL, 1), (DELETE, 2)])
async def test_a_lost_reply_is_no_failure(desk: Desk, verdict: EndRun, told: int) -> None:
    desk.server.error = UNANSWERED
    if verdict is DELETE:
        desk.memory.run(desk.run.key).tried |= {Way.CANCEL: refused_attempt(desk)}
    await desk.actions.end(desk.run, verdict)
    assert len(desk.told.reasons) == told
    assert desk.actions.tried(desk.run)[verdict.way].refusal == ""


def refused_attempt(desk: Desk) -> Attempt:
    now = desk.clock.monotonic()
    return Attempt(now, now, "only status updates", is_final=True)


@pytest.mark.parametrize("error", [UNANSWERED, NO_RIGHT, errors.ConflictError("changed")])
async def test_what_may_pass_is_raised_and_its_time_is_counted(
    desk: Desk, error: errors.ApiError
) -> None:
    desk.server.error, desk.server.is_carried_out = error, False
    for _ in range(3):
        with pytest.raises(type(error)):
            await desk.actions.end(desk.run, CANCEL)
        desk.clock.advance(40)
    tried = desk.actions.tried(desk.run)[Way.CANCEL]
    assert (tried.refused_for.total_seconds(), tried.is_final) == (80, False)
    assert tried.refusal == str(error)


async def test_time_in_which_nothing_could_be_asked_does_not_count(desk: Desk) -> None:
    desk.server.error, desk.server.is_carried_out = UNANSWERED, False
    for pause in (10, 600):
        with pytest.raises(errors.UnavailableError):
            await desk.actions.end(desk.run, CANCEL)
        desk.clock.advance(pause)
    with pytest.raises(errors.UnavailableError):
        await desk.actions.end(desk.run, CANCEL)
    assert desk.actions.tried(desk.run)[Way.CANCEL].refused_for.total_seconds() == 0


async def test_what_is_refused_for_good_is_not_raised(desk: Desk) -> None:
    desk.server.error, desk.server.is_carried_out = REFUSED, False
    await desk.actions.end(desk.run, CANCEL)
    assert desk.told.reasons == []
    assert "cannot be cancelled (only status updates)" in desk.actions.describe(desk.run)
    await desk.actions.end(desk.run, DELETE)
    assert desk.told.reasons == ["PipelineRunNotEnded"]
    assert desk.memory.stuck_runs() == 1
    await desk.actions.end(desk.run, DELETE)
    assert len(desk.told.reasons) == 1, "told twice"


async def test_a_run_that_is_gone_needs_no_end(desk: Desk) -> None:
    desk.server.run, desk.server.error = None, errors.NotFoundError("gone")
    desk.server.is_carried_out = False
    await desk.actions.end(desk.run, CANCEL)
    assert (desk.run.is_gone, desk.told.reasons) == (True, [])
    assert desk.actions.describe(desk.run) == ""


async def test_after_all_ways_it_is_begun_again_and_what_was_asked_for_stays(desk: Desk) -> None:
    await desk.actions.end(desk.run, CANCEL)
    desk.server.error, desk.server.is_carried_out = NO_RIGHT, False
    with pytest.raises(errors.MissingRightError):
        await desk.actions.end(desk.run, DELETE)
    assert desk.told.reasons == ["WorkflowExecutionDeleted"]
    desk.actions.begin_again(desk.run)
    assert desk.told.reasons == ["WorkflowExecutionDeleted", "PipelineRunNotEnded"]
    assert list(desk.actions.tried(desk.run)) == [Way.CANCEL]


async def test_what_need_not_end_is_not_stuck(desk: Desk) -> None:
    desk.server.error, desk.server.is_carried_out = REFUSED, False
    await desk.actions.end(desk.run, DELETE)
    desk.actions.forget(desk.run)
    desk.actions.forget(desk.run)
    assert (desk.memory.stuck_runs(), desk.actions.tried(desk.run)) == (0, {})


async def test_a_second_run_is_ended_once_the_first_was_just_seen(desk: Desk) -> None:
    rival = holder_of(desk.run, TARGET)
    second = EndRun(Way.CANCEL, EndReason.SECOND_ON_TARGET, rival)
    desk.clock.advance(5)
    await desk.actions.end(desk.run, second)
    assert desk.server.writes == []
    await desk.actions.end(desk.run, second)
    assert desk.told.reasons == ["LockViolated"]


@pytest.mark.parametrize("way", [Way.CANCEL, Way.DELETE])
async def test_the_end_of_an_execution_ends_its_run(desk: Desk, way: Way) -> None:
    desk.memory.run(desk.run.key).tried |= {Way.CANCEL: refused_attempt(desk)}
    await desk.actions.end(desk.run, EndRun(way, EndReason.EXECUTION_ENDED))
    by_way = {Way.CANCEL: "PipelineRunCancelled", Way.DELETE: "PipelineRunDeleted"}
    assert desk.told.reasons == [by_way[way]]
