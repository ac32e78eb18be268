"""A bare client of the API server for processes that measure: bytes in, bytes out, counted."""

from __future__ import annotations

import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from harness.objects import path_of
from localcluster.cluster import MERGE

# As many as the operator's own client has.
CONNECTIONS = 48
PAGE = 500
_LINE_BYTES = 4 * 2**20

Object = dict[str, Any]


class Api:
    """Requests over one pool of connections; `answers` counts them by status."""

    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        self._session = session
        self._server = server
        self.answers: Counter[int] = Counter()

    async def send(self, method: str, path: str, body: Object | None = None) -> bytes:
        """Send one request; RuntimeError where it is refused."""
        headers = {"Content-Type": MERGE if method == "PATCH" else "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        async with self._session.request(
            method, self._server + path, data=data, headers=headers
        ) as answer:
            text = await answer.read()
        self.answers[answer.status] += 1
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500].decode()}")
        return text

    async def pages(self, path: str) -> AsyncIterator[Object]:
        """Yield the pages of a list, decoded."""
        token = ""
        while True:
            page = json.loads(await self.send("GET", f"{path}?limit={PAGE}&continue={token}"))
            yield page
            token = page["metadata"].get("continue", "")
            if not token:
                return

    @asynccontextmanager
    async def watch(self, plural: str, namespace: str) -> AsyncIterator[aiohttp.StreamReader]:
        """The stream of what happens from now on; read it line by line."""
        path = path_of(plural, namespace)
        version = json.loads(await self.send("GET", f"{path}?limit=1"))["metadata"][
            "resourceVersion"
        ]
        query = f"watch=true&resourceVersion={version}&timeoutSeconds=3600"
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.get(f"{self._server}{path}?{query}", timeout=timeout) as answer:
            answer.raise_for_status()
            yield answer.content


@asynccontextmanager
async def open_api(server: str, token: str, ca: str) -> AsyncIterator[Api]:
    """An `Api` whose connections are closed in the end."""
    context = ssl.create_default_context(cafile=ca)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS, ssl=context),
        headers={"Authorization": f"Bearer {token}", "User-Agent": "benchmark"},
        read_bufsize=_LINE_BYTES,
    ) as session:
        yield Api(session, server)
