"""A proxy on loopback in front of the API server: it counts, and it breaks what it is told to."""

from __future__ import annotations

import asyncio
import ssl
import threading
from contextlib import suppress

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from harness.exchange import Exchange, parse_exchange
from harness.faults import Fault, LostConnectionError
from localcluster.cluster import Cluster

_HOP_BY_HOP = {"connection", "host", "content-length", "transfer-encoding", "keep-alive"}


class Proxy:
    """Serves plain HTTP at `url`, in a thread of its own, until closed."""

    def __init__(self, cluster: Cluster) -> None:
        self.faults: list[Fault] = []
        # Watches of these resources deliver nothing for as long as they are in here.
        self.withheld: set[str] = set()
        self.url = ""
        self._server = cluster.server
        self._ssl = ssl.create_default_context(cafile=str(cluster.ca))
        self._exchanges: list[Exchange] = []
        self._streams: set[aiohttp.ClientResponse] = set()
        self._stop = asyncio.Event()
        self._has_started = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name="proxy", daemon=True
        )
        self._thread.start()
        assert self._has_started.wait(10), "the proxy did not start"

    def close(self) -> None:
        """Stop serving and end the thread."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def mark(self) -> int:
        """The present moment, to ask `since` about."""
        return len(self._exchanges)

    def since(self, mark: int = 0) -> list[Exchange]:
        """All requests since a moment, in the order in which they came, watches aside."""
        return [one for one in self._exchanges[mark:] if one.verb != "watch"]

    def watches(self) -> list[Exchange]:
        """All watches that were begun."""
        return [one for one in self._exchanges if one.verb == "watch"]

    def inject(self, fault: Fault) -> Fault:
        """Add a fault; it is consulted from the next request on."""
        self.faults.append(fault)
        return fault

    def cut_watches(self) -> None:
        """End every watch that is open, as an API server does that is shut down."""
        self._loop.call_soon_threadsafe(self._end_streams)

    def _end_streams(self) -> None:
        for stream in list(self._streams):
            stream.close()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        connector = aiohttp.TCPConnector(limit=0, ssl=self._ssl)
        async with aiohttp.ClientSession(
            connector=connector, auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None)
        ) as self._session:
            app = web.Application(client_max_size=16 * 2**20)
            app.router.add_route("*", "/{path:.*}", self._handle)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            self._has_started.set()
            await self._stop.wait()
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        agent = request.headers.get("User-Agent", "")
        exchange = parse_exchange(request.method, request.path, request.query, agent, body)
        self._exchanges.append(exchange)
        try:
            if given := await self._strike("before", exchange):
                exchange.status = given.status
                return given
            return await self._forward(request, exchange)
        except LostConnectionError:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=502)

    async def _strike(self, when: str, exchange: Exchange) -> web.Response | None:
        for fault in self.faults:
            if fault.when == when and fault.strikes(exchange):
                return await fault.act(exchange)
        return None

    async def _forward(self, request: web.Request, exchange: Exchange) -> web.StreamResponse:
        async with self._session.request(
            request.method,
            self._server + request.raw_path,
            data=exchange.body or None,
            headers=_passed_on(request.headers),
        ) as answer:
            exchange.status = answer.status
            if exchange.verb == "watch" and answer.status == 200:
                return await self._stream(request, answer, exchange.resource)
            reply = web.Response(
                status=answer.status, body=await answer.read(), headers=_passed_on(answer.headers)
            )
        return await self._strike("after", exchange) or reply

    async def _stream(
        self, request: web.Request, answer: aiohttp.ClientResponse, resource: str
    ) -> web.StreamResponse:
        """Pass a watch on as it comes; either side may end it."""
        response = web.StreamResponse(status=answer.status, headers=_passed_on(answer.headers))
        await response.prepare(request)
        self._streams.add(answer)
        with suppress(ConnectionError, aiohttp.ClientError):
            async for chunk in answer.content.iter_any():
                while resource in self.withheld:  # noqa: ASYNC110 (set from another thread)
                    await asyncio.sleep(0.02)
                await response.write(chunk)
        self._streams.discard(answer)
        return response


def _passed_on(headers: aiohttp.typedefs.LooseHeaders) -> CIMultiDict[str]:
    return CIMultiDict(
        (name, value)
        for name, value in CIMultiDict(headers).items()
        if name.lower() not in _HOP_BY_HOP
    )
