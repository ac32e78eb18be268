"""Everything that happens to some kinds of objects, as the API server tells it to anybody."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import aiohttp

from harness.closing import until_closed
from localcluster.cluster import Cluster, Object

PAUSE_S = 0.2
# plural, event type (LISTED for what a list shows), object
Listen = Callable[[str, str, Object], None]


class Observer:
    """Lists and watches, in a thread of its own, as administrator and past every proxy.

    It goes on from where it was after any interruption. Where that is not possible any more it
    lists anew, and `gaps` counts how often: what happened meanwhile was not seen.
    """

    def __init__(
        self, cluster: Cluster, paths: Mapping[str, Sequence[str]], listen: Listen
    ) -> None:
        self.gaps = 0
        self._cluster = cluster
        self._paths = [(plural, path) for plural, some in paths.items() for path in some]
        self._listen = listen
        self._listed = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)

    def start(self) -> None:
        """Start, and wait until everything has been listed."""
        self._thread.start()
        for _ in self._paths:
            assert self._listed.acquire(timeout=20), "the observer has not listed everything"

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._main.cancel)
        self._thread.join(10)

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            asyncio.run(self._follow_all())

    async def _follow_all(self) -> None:
        self._loop, main = asyncio.get_running_loop(), asyncio.current_task()
        assert main is not None
        self._main = main
        context = ssl.create_default_context(cafile=str(self._cluster.ca))
        try:
            async with aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=context),
                headers={"Authorization": f"Bearer {self._cluster.token}"},
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=90),
                read_bufsize=2**22,
            ) as self._session:
                await asyncio.gather(*(self._follow(*one) for one in self._paths))
        finally:
            await until_closed()

    async def _follow(self, plural: str, path: str) -> None:
        version = await self._list(plural, path)
        self._listed.release()
        while True:
            try:
                async for event in self._watch(path, version):
                    kind, item = event["type"], event["object"]
                    if kind == "ERROR":
                        self.gaps += 1
                        version = await self._list(plural, path)
                        break
                    version = item["metadata"]["resourceVersion"]
                    if kind != "BOOKMARK":
                        self._listen(plural, kind, item)
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(PAUSE_S)

    async def _list(self, plural: str, path: str) -> str:
        while True:
            try:
                async with self._session.get(self._cluster.server + path) as answer:
                    answer.raise_for_status()
                    found: dict[str, Any] = await answer.json()
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(PAUSE_S)
                continue
            for item in found["items"]:
                self._listen(plural, "LISTED", item)
            return str(found["metadata"]["resourceVersion"])

    async def _watch(self, path: str, version: str) -> AsyncIterator[dict[str, Any]]:
        query = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version}
        url = f"{self._cluster.server}{path}?{urlencode(query)}"
        async with self._session.get(url) as answer:
            if answer.status == HTTPStatus.GONE:
                yield {"type": "ERROR", "object": {"code": answer.status}}
                return
            # An API server that has just started does not know every kind yet.
            answer.raise_for_status()
            async for line in answer.content:
                yield json.loads(line)
