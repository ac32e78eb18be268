"""Executions as many people and programs ask for them, and take them back."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush

from harness.executions import phase_of, unique_target
from harness.player import FAILING
from harness.world import TERMINAL, World
from localcluster.cluster import ApiError, Object

WORKERS = 4
FAILING_EVERY = 5
AGAIN_S = 0.2
# What becomes of the executions of a cycle; the others are each on the next target.
CYCLE = 20
BUSY = (4, 11, 17)
COOLING = (7, 14, 19)
# How many orders ago the target was taken that is still cooling down: some seconds.
COOLING_BACK = 16
DELETED_RUNNING, DELETED_ENDED, RUN_DELETED = 2, 9, 12
ENDED_AFTER_S = 5.0
DONE = ("execution deleted, running", "execution deleted, ended", "run deleted")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A workflow on a target."""

    target: str
    workflow: str


class Traffic:
    """Creates so many executions a second, however long each takes, until closed.

    Each cycle has some on a target that is busy, some on one that cools down, some that are
    deleted while they run and after they have ended, and runs that are deleted by hand; `done`
    counts that, and what could not be done. `items` are the executions that it created, `wanted`
    what they are about.
    """

    def __init__(self, world: World, per_second: float, targets: int) -> None:
        self.items: list[Object] = []
        self.done: Counter[str] = Counter()
        self._world = world
        self._pause_s = 1 / per_second
        self._next = itertools.cycle(
            [_wanted(number, unique_target()) for number in range(targets)]
        ).__next__
        self.wanted: list[Wanted] = []
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._news = threading.Condition()
        self._is_open = True
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="traffic")
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
        self._at(began_at := time.monotonic(), partial(self._order, began_at))
        self._thread.start()

    def close(self) -> None:
        """Create and delete no more."""
        with self._news:
            self._is_open = False
            self._news.notify()
        self._thread.join(10)
        self._pool.shutdown(cancel_futures=True)

    def _order(self, due_at: float) -> None:
        """Have the next one created; called by the clock alone, at its own pace."""
        number = len(self.wanted)
        wanted = self._wanted_by(number)
        self.wanted.append(wanted)
        self._pool.submit(self._act, partial(self._create, number % CYCLE, wanted))
        next_at = due_at + self._pause_s
        self._at(next_at, partial(self._order, next_at))

    def _wanted_by(self, number: int) -> Wanted:
        place = number % CYCLE
        if place in BUSY:
            return self.wanted[-1]
        if place in COOLING and number > COOLING_BACK:
            return self.wanted[-COOLING_BACK]
        return self._next()

    def _create(self, place: int, wanted: Wanted) -> None:
        item = self._world.create(wanted.target, workflow=wanted.workflow)
        self.items.append(item)
        fates = {
            DELETED_RUNNING: (AGAIN_S, self._delete_running),
            DELETED_ENDED: (ENDED_AFTER_S, self._delete_ended),
            RUN_DELETED: (AGAIN_S, self._delete_run),
        }
        if place in fates:
            seconds, act = fates[place]
            self._later(seconds, partial(act, item))

    def _delete_running(self, item: Object) -> None:
        if self._run_at_work(item):
            self._world.executions.delete(item)
            self.done["execution deleted, running"] += 1
        else:
            self._again(self._delete_running, item)

    def _delete_ended(self, item: Object) -> None:
        self._world.executions.delete(item)
        self.done["execution deleted, ended"] += 1

    def _delete_run(self, item: Object) -> None:
        if run := self._run_at_work(item):
            self._world.tekton.runs.delete(run)
            self.done["run deleted"] += 1
        else:
            self._again(self._delete_run, item)

    def _again(self, act: Callable[[Object], None], item: Object) -> None:
        """Try it again soon, unless it is too late for it."""
        if phase_of(self._world.read(item)) not in TERMINAL:
            self._later(AGAIN_S, partial(act, item))

    def _run_at_work(self, item: Object) -> Object | None:
        """The run of an execution that is Running, once Tekton has begun it."""
        found = self._world.read(item)
        if phase_of(found) != "Running":
            return None
        name = found["status"]["pipelineRunRef"]["name"]
        run = self._world.tekton.runs.get(self._world.execution_namespace, name)
        return run if run and run.get("status") else None

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._at(time.monotonic() + seconds, lambda: self._pool.submit(self._act, act))

    def _act(self, act: Callable[[], None]) -> None:
        try:
            act()
        except (ApiError, OSError, AssertionError) as error:
            self.done[f"not done: {type(error).__name__} {error}"] += 1

    def _at(self, moment: float, act: Callable[[], object]) -> None:
        with self._news:
            heappush(self._due, (moment, next(self._numbers), act))
            self._news.notify()

    def _run(self) -> None:
        while True:
            with self._news:
                if not self._is_open:
                    return
                wait = self._due[0][0] - time.monotonic()
                if wait > 0:
                    self._news.wait(wait)
                    continue
                act = heappop(self._due)[2]
            act()


def _wanted(number: int, target: str) -> Wanted:
    is_failing = number % FAILING_EVERY == 0
    return Wanted(target, FAILING if is_failing else f"restart-{number % 2}")
