"""A watch line is answered by requests at once, with no thought: the floor of a reaction."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp

from benchmarks import bodies
from benchmarks.api import Api, open_api
from benchmarks.roles import lines
from harness.objects import path_of

_ENDED = b'"completionTime"'
_ADDED = b'{"type":"ADDED"'


async def run(order: dict[str, Any]) -> None:
    """React until told to stop."""
    async with open_api(**order["server"]) as api:
        reactor = Reactor(api, order)
        async with (
            api.watch("workflowexecutions", order["source"]) as executions,
            api.watch("pipelineruns", order["runs"]) as runs,
        ):
            following = [
                asyncio.create_task(reactor.follow(executions, reactor.launch, _ADDED)),
                asyncio.create_task(reactor.follow(runs, reactor.report, _ENDED)),
            ]
            lines.tell("ready")
            await lines.told("stop")
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)
    lines.tell("done", throttled=api.answers[429])


class Reactor:
    """An execution's line makes a run, the line of a run's end makes a status.

    With as many writes as ours, each of the two is told in a status and in an Event.
    """

    def __init__(self, api: Api, order: dict[str, Any]) -> None:
        self._api = api
        self._source = order["source"]
        self._runs = order["runs"]
        self._ours = order["ours"]
        self._reported: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def follow(
        self,
        stream: aiohttp.StreamReader,
        react: Callable[[dict[str, Any]], Coroutine[Any, Any, None]],
        mark: bytes,
    ) -> None:
        """Start a reaction to each line that holds the mark."""
        while line := await stream.readline():
            if mark in line:
                task = asyncio.create_task(react(json.loads(line)["object"]))
                self._tasks.add(task)
                task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            sys.stderr.write(f"reactor: {error!r}\n")

    async def launch(self, execution: dict[str, Any]) -> None:
        """Create the run of an execution."""
        meta, target = execution["metadata"], execution["spec"]["targetResource"]
        body = bodies.run_body(meta["name"], meta["uid"], self._source, target, self._runs)
        await self._api.send("POST", path_of("pipelineruns", self._runs), body)
        if self._ours:
            await self._tell(meta["name"], body["metadata"]["name"], "Running")
            await self._record(meta["name"], meta["uid"], "PipelineRunCreated")

    async def report(self, run: dict[str, Any]) -> None:
        """Write the end of a run into its execution's status, once."""
        meta = run["metadata"]
        if meta["name"] in self._reported:
            return
        self._reported.add(meta["name"])
        owner = meta["annotations"]["kubernaut.ai/workflow-execution"]
        await self._tell(owner, meta["name"], "Completed")
        if self._ours:
            uid = meta["annotations"]["kubernaut.ai/workflow-execution-uid"]
            await self._record(owner, uid, "WorkflowCompleted")

    async def _tell(self, owner: str, run: str, phase: str) -> None:
        path = f"{path_of('workflowexecutions', self._source, owner)}/status"
        await self._api.send("PATCH", path, bodies.execution_status(run, self._runs, phase))

    async def _record(self, owner: str, uid: str, reason: str) -> None:
        event = bodies.event_body(owner, uid, self._source, reason)
        await self._api.send("POST", path_of("events", self._source), event)
