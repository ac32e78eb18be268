"""The floor of throughput: the same requests for each execution, one by one, no watches."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from benchmarks import bodies
from benchmarks.api import Api, open_api
from benchmarks.roles import lines
from harness.objects import path_of


async def run(order: dict[str, Any]) -> None:
    """Write so many executions from beginning to end, so many at once."""
    async with open_api(**order["server"]) as api:
        item = Item(api, order)
        # Connections are opened before, as an operator's are.
        await asyncio.gather(*(api.send("GET", "/version") for _ in range(order["in_flight"])))
        lines.tell("ready")
        await lines.told("go")
        left = iter(range(order["executions"]))
        warm = api.answers.total()
        began, used = time.monotonic(), time.process_time()
        await asyncio.gather(*(_work(item, left) for _ in range(order["in_flight"])))
        seconds, used = time.monotonic() - began, time.process_time() - used
    lines.tell(
        "done",
        seconds=seconds,
        cpu_s=used,
        requests=api.answers.total() - warm,
        throttled=api.answers[429],
    )


async def _work(item: Item, left: Any) -> None:
    for number in left:
        await item.write(f"{item.prefix}-{number}")


class Item:
    """Writes one execution, its run and all their statuses."""

    def __init__(self, api: Api, order: dict[str, Any]) -> None:
        self._api = api
        self._source = order["source"]
        self._runs = order["runs"]
        self._with_events = order["with_events"]
        self._run_events = order["run_events"]
        self._size = order["status_bytes"]
        self.prefix = order["prefix"]

    async def write(self, name: str) -> None:
        """Everything that is written for one execution, by whoever writes it."""
        api, target = self._api, bodies.target_of(name)
        body = bodies.execution_body(name, self._source, target)
        path = path_of("workflowexecutions", self._source)
        uid = json.loads(await api.send("POST", path, body))["metadata"]["uid"]
        run = bodies.run_body(name, uid, self._source, target, self._runs)
        run_name = run["metadata"]["name"]
        made = await api.send("POST", path_of("pipelineruns", self._runs), run)
        version = bodies.version_in(made)
        await self._report(name, uid, run_name, "Running", "PipelineRunCreated")
        run_path = f"{path_of('pipelineruns', self._runs, run_name)}/status"
        for step in range(1, self._run_events + 1):
            status = bodies.run_status(run_name, step, self._run_events, self._size)
            update = bodies.run_update(self._runs, run_name, version, status)
            version = bodies.version_in(await api.send("PUT", run_path, update))
        await self._report(name, uid, run_name, "Completed", "WorkflowCompleted")

    async def _report(self, name: str, uid: str, run: str, phase: str, reason: str) -> None:
        path = f"{path_of('workflowexecutions', self._source, name)}/status"
        await self._api.send("PATCH", path, bodies.execution_status(run, self._runs, phase))
        if self._with_events:
            event = bodies.event_body(name, uid, self._source, reason)
            await self._api.send("POST", path_of("events", self._source), event)
