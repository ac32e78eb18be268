"""The floor of a start: both lists in pages, decoded and dropped."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.api import open_api
from benchmarks.roles import lines
from harness.objects import path_of


async def run(order: dict[str, Any]) -> None:
    """List all executions and runs of two namespaces once."""
    async with open_api(**order["server"]) as api:
        began, objects = time.monotonic(), 0
        for plural, namespace in order["lists"]:
            async for page in api.pages(path_of(plural, namespace)):
                objects += len(page["items"])
        seconds = time.monotonic() - began
    lines.tell("done", seconds=seconds, objects=objects, requests=api.answers.total())
