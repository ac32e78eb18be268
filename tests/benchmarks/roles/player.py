"""Creates executions, plays Tekton on the runs that are made for them, and notes when what is seen.

All times are of the monotonic clock of this machine, at which a line of a watch was read here.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import aiohttp

from benchmarks import bodies
from benchmarks.api import Api, open_api
from benchmarks.roles import lines
from harness.objects import path_of

_ADDED = b'{"type":"ADDED"'
_ENDED = b'"completionTime"'
_RUN_NAME = re.compile(rb'"name":"(wfe-[0-9a-f]{16}-[0-9]+)"')
_OWNER = re.compile(rb'"kubernaut.ai/workflow-execution":"([^"]+)"')
_TARGET = re.compile(rb'"kubernaut.ai/target-resource":"([^"]+)"')
_PHASE = re.compile(rb'"phase":"(\w+)"')
_TERMINAL = ("Completed", "Failed", "Skipped")


@dataclass(slots=True)
class Seen:
    """The times at which each change of one execution was seen; None where it was not."""

    created: float | None = None
    run: float | None = None
    running: float | None = None
    run_ended: float | None = None
    ended: float | None = None
    phase: str = ""


@dataclass(slots=True)
class Stage:
    """All changes so far, by name of execution; `holders` are the active runs on a target."""

    seen: dict[str, Seen]
    owners: dict[str, str] = field(default_factory=dict)
    targets: dict[str, str] = field(default_factory=dict)
    holders: dict[str, set[str]] = field(default_factory=dict)
    double_runs: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self, is_so: Callable[[Seen], object]) -> int:
        """The number of executions for which this is true."""
        return sum(bool(is_so(one)) for one in self.seen.values())


async def run(order: dict[str, Any]) -> None:
    """Play one workload to its end, or to its deadline."""
    async with open_api(**order["server"]) as api:
        player = Player(api, order)
        # A watch that cannot be followed ends all of it: nothing more would be seen.
        async with (
            api.watch("workflowexecutions", order["source"]) as executions,
            api.watch("pipelineruns", order["runs"]) as runs,
            asyncio.TaskGroup() as group,
        ):
            following = [
                group.create_task(_follow(executions, player.see_execution)),
                group.create_task(_follow(runs, player.see_run)),
            ]
            await player.play()
            for task in following:
                task.cancel()
    player.tell_all()


async def _follow(stream: aiohttp.StreamReader, see: Callable[[bytes, float], None]) -> None:
    while line := await stream.readline():
        see(line, time.monotonic())


class Player:
    """One workload; the order says how many executions, how fast, and how their runs go."""

    def __init__(self, api: Api, order: dict[str, Any]) -> None:
        self._api = api
        self._order = order
        self._source: str = order["source"]
        self._runs: str = order["runs"]
        count, prefix = order["executions"], order["prefix"]
        self._stage = Stage({f"{prefix}-{number}": Seen() for number in range(count)})
        self._name = re.compile(rf'"name":"({prefix}-[0-9]+)"'.encode())
        self._may_end = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._problems: list[str] = []
        self._began = 0.0

    async def play(self) -> None:
        """Create, wait for what is to be waited for, and see all of it end."""
        order, stage = self._order, self._stage
        lines.tell("ready")
        await lines.told("go")
        self._began = time.monotonic()
        if not order["hold"]:
            self._may_end.set()
        self._start(self._create_all())
        if order["milestone"]:
            await self._until(lambda: stage.count(lambda one: one.run) >= order["milestone"])
            lines.tell("milestone")
        if order["hold"]:
            await self._until(lambda: stage.count(lambda one: one.running) == len(stage.seen))
            lines.tell("held")
            await lines.told("finish")
            self._may_end.set()
        await self._until(lambda: stage.count(lambda one: one.ended) == len(stage.seen))

    def tell_all(self) -> None:
        """Give away everything that was seen."""
        lines.tell(
            "done",
            began=self._began,
            seen=[asdict(one) for one in self._stage.seen.values()],
            runs=len(self._stage.owners),
            double_runs=self._stage.double_runs,
            requests=self._api.answers.total(),
            throttled=self._api.answers[429],
            problems=self._problems[:5],
        )

    def see_execution(self, line: bytes, at: float) -> None:
        """Take in a line of the watch of executions."""
        one = self._stage.seen.get(_text(self._name, line))
        if one is None:
            return  # One that was there before.
        if line.startswith(_ADDED):
            one.created = one.created or at
            return
        one.phase = _text(_PHASE, line)
        if one.phase == "Running":
            one.running = one.running or at
        if one.phase in _TERMINAL and one.ended is None:
            one.ended = at
        self._stage.changed.set()

    def see_run(self, line: bytes, at: float) -> None:
        """Take in a line of the watch of runs."""
        stage, name = self._stage, _text(_RUN_NAME, line)
        if line.startswith(_ADDED):
            target, owner = _text(_TARGET, line), _text(_OWNER, line)
            holders = stage.holders.setdefault(target, set())
            stage.double_runs += bool(holders)
            holders.add(name)
            stage.owners[name], stage.targets[name] = owner, target
            stage.seen[owner].run = stage.seen[owner].run or at
            stage.changed.set()
            if self._order["run_events"]:
                self._start(self._play_tekton(name, bodies.version_in(line)))
        elif _ENDED in line:
            stage.holders[stage.targets[name]].discard(name)
            one = stage.seen[stage.owners[name]]
            one.run_ended = one.run_ended or at

    async def _create_all(self) -> None:
        names = iter(self._stage.seen)
        if self._order["rate"]:
            await self._create_at_random(names)
        else:
            await asyncio.gather(
                *(self._create_some(names) for _ in range(self._order["in_flight"]))
            )

    async def _create_some(self, names: Iterator[str]) -> None:
        for name in names:
            await self._create(name)

    async def _create_at_random(self, names: Iterator[str]) -> None:
        """Arrivals that do not wait for each other: the same ones for the same seed."""
        chance = random.Random(self._order["seed"])
        due_at = time.monotonic()
        for name in names:
            due_at += chance.expovariate(self._order["rate"])
            await asyncio.sleep(due_at - time.monotonic())
            self._start(self._create(name))

    async def _create(self, name: str) -> None:
        target = self._order["target"] or bodies.target_of(name)
        body = bodies.execution_body(name, self._source, target, **self._order["spec"])
        await self._api.send("POST", path_of("workflowexecutions", self._source), body)

    async def _play_tekton(self, name: str, version: str) -> None:
        """Write a run's statuses; a real Tekton is asked for by none."""
        steps, began = self._order["run_events"], time.monotonic()
        path = f"{path_of('pipelineruns', self._runs, name)}/status"
        for step in range(1, steps + 1):
            pause = self._order["life_s"] * step / steps - (time.monotonic() - began)
            await asyncio.sleep(max(pause, 0))
            if step == steps:
                await self._may_end.wait()
            status = bodies.run_status(name, step, steps, self._order["status_bytes"])
            body = bodies.run_update(self._runs, name, version, status)
            version = bodies.version_in(await self._api.send("PUT", path, body))

    async def _until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something that is seen; at the deadline, go on without."""
        deadline = self._began + self._order["deadline_s"]
        while not is_so() and (left := deadline - time.monotonic()) > 0:
            self._stage.changed.clear()
            try:
                await asyncio.wait_for(self._stage.changed.wait(), left)
            except TimeoutError:
                return
            # Asked of all of them, so not more often than it can matter.
            await asyncio.sleep(0.02)

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._problems.append(repr(error))
            sys.stderr.write(f"player: {error!r}\n")


def _text(pattern: re.Pattern[bytes], line: bytes) -> str:
    match = pattern.search(line)
    return match[1].decode() if match else ""
