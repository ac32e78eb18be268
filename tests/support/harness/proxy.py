"""A proxy on loopback in front of the API server: it counts, and it breaks what it is told to."""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from collections.abc import Coroutine
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from harness import streams
from harness.closing import until_closed
from harness.exchange import Exchange, parse_exchange
from harness.faults import CarriedOutLateError, Fault, HalfReplyError, LostConnectionError
from harness.streams import StreamFault
from localcluster.certificates import KeyFiles
from localcluster.cluster import Cluster

_HOP_BY_HOP = {"connection", "host", "content-length", "transfer-encoding", "keep-alive"}
_LIMIT = re.compile(r"\blimit=\d+")


class Proxy:
    """Serves HTTP at `url`, in a thread of its own, until closed; HTTPS where it is given keys."""

    def __init__(self, cluster: Cluster, keys: KeyFiles | None = None) -> None:
        self.faults: list[Fault] = []
        self.stream_faults: list[StreamFault] = []
        # Watches of these resources deliver nothing for as long as they are in here.
        self.withheld: set[str] = set()
        # Lists are asked for in pages of at most this many; None for what the asker wants.
        self.page: int | None = None
        self.url = ""
        self._server = cluster.server
        self._ssl = ssl.create_default_context(cafile=str(cluster.ca))
        self._keys = keys
        self._exchanges: list[Exchange] = []
        self._streams: set[aiohttp.ClientResponse] = set()
        self._late: set[asyncio.Task[None]] = set()
        self._port = 0
        self._site: web.TCPSite | None = None
        self._stop = asyncio.Event()
        self._has_started = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name="proxy", daemon=True
        )
        self._thread.start()
        assert self._has_started.wait(10), "the proxy did not start"

    @property
    def port(self) -> int:
        """Its port on 127.0.0.1."""
        return self._port

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

    def change_streams(self, fault: StreamFault) -> StreamFault:
        """Add a fault within watches, and have those that are open begun anew."""
        self.stream_faults.append(fault)
        self.cut_watches()
        return fault

    def heal(self) -> None:
        """Take away every fault; watches that are changed are begun anew."""
        self.faults.clear()
        self.withheld.clear()
        if self.stream_faults:
            self.stream_faults.clear()
            self.cut_watches()

    def cut_watches(self) -> None:
        """End every watch that is open, as an API server does that is shut down."""
        self._loop.call_soon_threadsafe(self._end_streams)

    def refuse_connections(self) -> None:
        """Close every connection, and accept none until told to `listen`."""
        self._do(self._stop_listening())

    def listen(self, keys: KeyFiles | None = None) -> None:
        """Accept connections again, at the same port; with other keys, if any are given."""
        self._keys = keys or self._keys
        if self._site is None:
            self._do(self._listen())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

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
            self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
            await self._runner.setup()
            await self._listen()
            self._port = self._runner.addresses[0][1]
            self.url = f"{'https' if self._keys else 'http'}://127.0.0.1:{self._port}"
            self._has_started.set()
            await self._stop.wait()
            for task in self._late:
                task.cancel()
            self._abort_connections()
            await self._runner.cleanup()
        await until_closed()

    async def _listen(self) -> None:
        context = _server_context(self._keys) if self._keys else None
        self._site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=context)
        await self._site.start()

    async def _stop_listening(self) -> None:
        if self._site is None:
            return
        await self._site.stop()
        self._site = None
        self._abort_connections()
        self._end_streams()

    def _abort_connections(self) -> None:
        assert self._runner.server is not None
        for connection in list(self._runner.server.connections):
            if connection.transport is not None:
                connection.transport.abort()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        exchange = parse_exchange(
            request.method, request.path, request.query, request.headers, body
        )
        self._exchanges.append(exchange)
        try:
            if given := await self._strike("before", exchange):
                exchange.status = given.status
                return given
            return await self._forward(request, exchange)
        except LostConnectionError as lost:
            if request.transport is not None:
                request.transport.abort()
            if isinstance(lost, CarriedOutLateError):
                self._carry_out_late(request, exchange, lost.seconds)
            return web.Response(status=502)

    async def _strike(self, when: str, exchange: Exchange) -> web.Response | None:
        for fault in self.faults:
            if fault.when == when and fault.strikes(exchange):
                return await fault.act(exchange)
        return None

    async def _forward(self, request: web.Request, exchange: Exchange) -> web.StreamResponse:
        async with self._ask(request, exchange) as answer:
            exchange.status = answer.status
            if exchange.verb == "watch" and answer.status == 200:
                return await self._stream(request, answer, exchange)
            exchange.reply = await answer.read()
            headers = _passed_on(answer.headers)
        reply = web.Response(status=answer.status, body=exchange.reply, headers=headers)
        try:
            return await self._strike("after", exchange) or reply
        except HalfReplyError:
            return await _send_half(request, reply, exchange.reply)
        finally:
            exchange.reply = b""

    def _ask(self, request: web.Request, exchange: Exchange) -> Any:
        path = request.raw_path
        if self.page is not None:
            path = _LIMIT.sub(f"limit={self.page}", path)
        return self._session.request(
            request.method,
            self._server + path,
            data=exchange.body or None,
            headers=_passed_on(request.headers),
        )

    def _carry_out_late(self, request: web.Request, exchange: Exchange, seconds: float) -> None:
        async def carry_out() -> None:
            await asyncio.sleep(seconds)
            async with self._ask(request, exchange) as answer:
                exchange.status = answer.status

        task = asyncio.create_task(carry_out())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _stream(
        self, request: web.Request, answer: aiohttp.ClientResponse, exchange: Exchange
    ) -> web.StreamResponse:
        """Pass a watch on line by line; either side may end it."""
        response = web.StreamResponse(status=answer.status, headers=_passed_on(answer.headers))
        await response.prepare(request)
        self._streams.add(answer)
        lines = streams.lines_of(answer.content.iter_any())
        for fault in self.stream_faults:
            if fault.strikes(exchange):
                lines = fault.rewrite(lines)
        try:
            async for line in lines:
                while exchange.resource in self.withheld:  # noqa: ASYNC110 (set from another thread)
                    await asyncio.sleep(0.02)
                await response.write(line)
        except (ConnectionError, aiohttp.ClientError):
            return response
        finally:
            self._streams.discard(answer)
        return response


async def _send_half(request: web.Request, reply: web.Response, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    raise LostConnectionError


def _server_context(keys: KeyFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys.server_certificate, keys.server_key)
    return context


def _passed_on(headers: aiohttp.typedefs.LooseHeaders) -> CIMultiDict[str]:
    return CIMultiDict(
        (name, value)
        for name, value in CIMultiDict(headers).items()
        if name.lower() not in _HOP_BY_HOP
    )
