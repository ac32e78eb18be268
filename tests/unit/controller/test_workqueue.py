"""One pass at a time for each key, repeated until it succeeds, and nothing left behind."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from builders import NOW
from clocks import FixedClock
from workflowexecution.controller import workqueue
from workflowexecution.controller.workqueue import WorkQueue
from workflowexecution.kube import errors

BOUND_S = 5.0


class Passes:
    """Passes that are counted, and go on only as far as the test lets them."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.active: Counter[str] = Counter()
        self.at_once = 0
        self.answers: list[float | Exception | None] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._changed = asyncio.Condition()

    async def work(self, key: str) -> float | None:
        self.count[key] += 1
        self.active[key] += 1
        self.at_once = max(self.at_once, self.active.total())
        assert self.active[key] == 1
        async with self._changed:
            self._changed.notify_all()
        try:
            await self.gate.wait()
        finally:
            self.active[key] -= 1
            async with self._changed:
                self._changed.notify_all()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(BOUND_S), self._changed:
            await self._changed.wait_for(is_so)


async def dozing(queue: WorkQueue[str], key: str) -> None:
    """Wait until a key waits for its next attempt."""
    async with asyncio.timeout(BOUND_S):
        while key not in queue._dozing:  # noqa: ASYNC110 (a private set tells nobody)
            await asyncio.sleep(0)


async def settled(queue: WorkQueue[str]) -> None:
    """Wait until no key has work to do."""
    async with asyncio.timeout(BOUND_S):
        while tasks := list(queue._tasks.values()):
            await asyncio.wait(tasks)


@pytest.fixture
def passes() -> Passes:
    return Passes()


@pytest_asyncio.fixture
async def queue(passes: Passes) -> AsyncIterator[WorkQueue[str]]:
    """A queue that is open; at the end nothing of it may be left."""
    queue = WorkQueue[str](concurrency=4)
    queue.open(passes.work)
    yield queue
    passes.gate.set()
    await queue.close(grace=BOUND_S)
    assert (queue._tasks, queue._wakers, queue._timers) == ({}, {}, {})


async def test_works_on_every_key(queue: WorkQueue[str], passes: Passes) -> None:
    for key in "abc":
        queue.add(key)
    assert len(queue) == 3
    await settled(queue)
    assert passes.count == {"a": 1, "b": 1, "c": 1}
    assert (len(queue), queue._wakers) == (0, {})


async def test_what_is_added_before_it_is_open_is_not_kept(passes: Passes) -> None:
    """A standby would otherwise gather the keys of all that its leader has done."""
    queue = WorkQueue[str](concurrency=4)
    queue.add("a")
    queue.add_after("b", 0)
    assert (len(queue), queue._wakers, queue._timers) == (0, {}, {})
    queue.open(passes.work)
    queue.add("c")
    await settled(queue)
    assert passes.count == {"c": 1}


async def test_a_key_added_meanwhile_is_worked_on_once_more(
    queue: WorkQueue[str], passes: Passes
) -> None:
    passes.gate.clear()
    queue.add("a")
    await passes.until(lambda: passes.active["a"] == 1)
    for _ in range(5):
        queue.add("a")
    passes.gate.set()
    await settled(queue)
    assert passes.count == {"a": 2}


async def test_many_keys_at_once_but_no_more_than_allowed(
    queue: WorkQueue[str], passes: Passes
) -> None:
    passes.gate.clear()
    for number in range(10):
        queue.add(str(number))
    await passes.until(lambda: passes.active.total() == 4)
    passes.gate.set()
    await settled(queue)
    assert (passes.count.total(), passes.at_once) == (10, 4)


async def test_a_pass_that_raises_is_repeated_and_reported(
    queue: WorkQueue[str], passes: Passes
) -> None:
    passes.answers = [errors.UnavailableError("no answer"), ValueError("a bug"), None]
    with capture_logs() as logs:
        queue.add("a")
        await settled(queue)
    told = [(item["error"], item["attempt"], item["key"]) for item in logs]
    assert passes.count == {"a": 3}
    assert told == [("no answer", 1, "a"), ("a bug", 2, "a")]
    assert [item["exc_info"] is None for item in logs] == [True, False]


async def test_an_added_key_ends_the_back_off(
    queue: WorkQueue[str], passes: Passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflowexecution.controller.workqueue.backoff", lambda *_: 3600.0)
    passes.answers = [errors.UnavailableError("no answer")]
    queue.add("a")
    await dozing(queue, "a")
    queue.add("a")
    await settled(queue)
    assert (passes.count, queue._dozing) == ({"a": 2}, set())


async def test_a_pass_is_repeated_after_the_time_it_returns(
    queue: WorkQueue[str], passes: Passes
) -> None:
    passes.answers = [0.01, 0.0, None]
    queue.add("a")
    await passes.until(lambda: passes.count["a"] == 3)
    await settled(queue)
    assert queue._timers == {}


async def test_a_key_added_sooner_than_its_time_is_not_worked_on_twice(
    queue: WorkQueue[str], passes: Passes
) -> None:
    passes.answers = [3600.0, None]
    queue.add("a")
    await settled(queue)
    assert list(queue._timers) == ["a"]
    queue.add("a")
    await settled(queue)
    assert (passes.count, queue._timers) == ({"a": 2}, {})


async def test_a_later_time_replaces_an_earlier_one(queue: WorkQueue[str], passes: Passes) -> None:
    queue.add_after("a", 3600.0)
    queue.add_after("a", 0.0)
    await passes.until(lambda: passes.count["a"] == 1)
    await settled(queue)
    queue.add_after("b", 3600.0)
    assert (passes.count, list(queue._timers)) == ({"a": 1}, ["b"])
    assert queue.timer_count() == 1


async def test_a_time_is_dropped_while_the_key_has_work(
    queue: WorkQueue[str], passes: Passes
) -> None:
    passes.gate.clear()
    queue.add("a")
    queue.add_after("a", 0.0)
    passes.gate.set()
    await settled(queue)
    assert (passes.count, queue._timers) == ({"a": 1}, {})


async def test_closing_lets_passes_end(queue: WorkQueue[str], passes: Passes) -> None:
    passes.gate.clear()
    queue.add("a")
    await passes.until(lambda: passes.active["a"] == 1)
    closing: Awaitable[None] = asyncio.create_task(queue.close(grace=BOUND_S))
    await asyncio.sleep(0)
    queue.add("b")
    queue.add_after("c", 0.0)
    passes.answers = [0.0]
    passes.gate.set()
    await closing
    assert passes.count == {"a": 1}


async def test_closing_cuts_off_what_takes_too_long(queue: WorkQueue[str], passes: Passes) -> None:
    passes.gate.clear()
    queue.add("a")
    await passes.until(lambda: passes.active["a"] == 1)
    await queue.close(grace=0.01)
    assert (passes.count, passes.active["a"], len(queue)) == ({"a": 1}, 0, 0)


async def test_closing_does_not_wait_for_a_back_off(
    queue: WorkQueue[str], passes: Passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflowexecution.controller.workqueue.backoff", lambda *_: 3600.0)
    passes.answers = [errors.UnavailableError("no answer")] * 2
    queue.add("a")
    await dozing(queue, "a")
    async with asyncio.timeout(BOUND_S):
        await queue.close(grace=3600)
    assert (passes.count["a"], len(queue)) == (1, 0)


@pytest.mark.parametrize("has_begun", [True, False])
async def test_closing_before_anything_ran_leaves_nothing(passes: Passes, has_begun: bool) -> None:
    queue = WorkQueue[str](concurrency=4)
    queue.add("a")
    queue.add_after("b", 3600.0)
    if has_begun:
        await asyncio.sleep(0)
    await queue.close(grace=BOUND_S)
    assert (passes.count, queue._tasks, queue._wakers, queue._timers) == ({}, {}, {}, {})


async def test_passes_of_which_none_ends_are_stuck(
    passes: Passes, queue: WorkQueue[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(workqueue, "time", SimpleNamespace(monotonic=lambda: now))
    assert queue.stuck_for() == 0
    passes.gate.clear()
    for key in ("a", "b"):
        queue.add(key)
    await passes.until(lambda: passes.active.total() == 2)
    now += 60
    assert queue.stuck_for() == 60
    passes.answers = [None]
    queue._tasks["a"].cancel()
    await passes.until(lambda: passes.active.total() == 1)
    now += 5
    assert queue.stuck_for() == 5
    passes.gate.set()
    await settled(queue)
    now += 60
    assert queue.stuck_for() == 0


async def test_a_pass_leaves_no_cycles(queue: WorkQueue[str], passes: Passes) -> None:
    """They would have to be looked for, in all objects that there are, again and again."""
    for number in range(200):
        if number == 100:
            gc.collect()
            gc.disable()
        queue.add(str(number))
        await settled(queue)
    try:
        assert gc.collect() < 100
    finally:
        gc.enable()


async def test_what_is_due_soon_is_not_worked_on_before(
    queue: WorkQueue[str], passes: Passes
) -> None:
    for key, due_in in {"soon": 3.0, "later": 3600.0}.items():
        queue.add_after(key, due_in)
    for key in ("soon", "later", "never"):
        queue.add_within(key, 5.0)
    await settled(queue)
    assert passes.count == {"later": 1, "never": 1}
    assert queue.timer_count() == 1


async def test_the_oldest_work_is_as_old_as_it_has_not_been_done(
    monkeypatch: pytest.MonkeyPatch, queue: WorkQueue[str], passes: Passes
) -> None:
    clock = FixedClock(NOW)
    monkeypatch.setattr(workqueue, "time", clock)
    passes.gate.clear()
    assert queue.oldest_age() == 0
    for key in "ab":
        queue.add(key)
        await passes.until(lambda key=key: passes.active[key] == 1)  # type: ignore[misc]
        clock.advance(10)
    assert queue.oldest_age() == 20
    passes.gate.set()
    await settled(queue)
    assert queue.oldest_age() == 0


async def test_work_that_fails_again_and_again_grows_old(
    monkeypatch: pytest.MonkeyPatch, queue: WorkQueue[str], passes: Passes
) -> None:
    clock = FixedClock(NOW)
    monkeypatch.setattr(workqueue, "time", clock)
    monkeypatch.setattr(workqueue, "backoff", lambda *_: BOUND_S)
    passes.answers = [errors.UnavailableError("no answer")]
    queue.add("a")
    await dozing(queue, "a")
    clock.advance(60)
    assert queue.oldest_age() == 60


async def test_failures_are_told_but_not_that_somebody_else_wrote_first(
    monkeypatch: pytest.MonkeyPatch, passes: Passes
) -> None:
    monkeypatch.setattr(workqueue, "backoff", lambda *_: 0)
    told: list[None] = []
    queue = WorkQueue[str](concurrency=4, on_failure=lambda: told.append(None))
    queue.open(passes.work)
    passes.answers = [errors.ConflictError("changed"), errors.UnavailableError("no answer"), None]
    queue.add("a")
    await settled(queue)
    assert (passes.count["a"], len(told)) == (3, 1)
