"""HTTP for kubelet, Prometheus and untrusted clients; connections are limited in time and number.

It serves /healthz, /readyz and /metrics, and the status page where that is wanted.

A connection is closed if it sends no whole request within some seconds, also one that is kept for
the next request, and if its peer does not read what it was sent. Nobody is refused a connection:
where there are too many, the peer that has most of them loses its oldest one. So kubelet, which has
one, is served regardless of other clients.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

import prometheus_client
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from workflowexecution.observe.metrics import Metrics

MOST: Final = 512
HEAD_S: Final = 10.0
STUCK_S: Final = 30.0
_LOOK_S: Final = 5.0
# How long the rest of a body that was not read may take; then the connection is closed.
_LINGER_S: Final = 1.0


class Connections:
    """The open connections of one port, by the address of their peers; the oldest first."""

    def __init__(self, most: int, monotonic: Callable[[], float]) -> None:
        self._most = most
        self._monotonic = monotonic
        self._by_peer: dict[str, dict[asyncio.Transport, float | None]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def admit(self, transport: asyncio.Transport) -> None:
        """Note a new connection, and end another one where there are too many."""
        self._by_peer.setdefault(_peer_of(transport), {})[transport] = None
        self._count += 1
        if self._count > self._most:
            most_of_one = max(self._by_peer.values(), key=len)
            oldest = next(iter(most_of_one))
            self.forget(oldest)
            oldest.abort()

    def forget(self, transport: asyncio.Transport) -> None:
        """Note the end of a connection; it may have been noted already."""
        peer = _peer_of(transport)
        of_peer = self._by_peer.get(peer, {})
        if transport in of_peer:
            del of_peer[transport]
            self._count -= 1
        if not of_peer:
            self._by_peer.pop(peer, None)

    def end_stuck(self) -> None:
        """End connections whose peers have not read what they were sent for too long."""
        now = self._monotonic()
        for of_peer in list(self._by_peer.values()):
            for transport, since in list(of_peer.items()):
                if not transport.get_write_buffer_size():
                    of_peer[transport] = None
                elif since is None:
                    of_peer[transport] = now
                elif now - since >= STUCK_S:
                    transport.abort()


class WebServer:
    """Serves an application on one port.

    Args:
        app: what is served.
        most: connections at most.
        options: of aiohttp's runner.
    """

    def __init__(self, app: web.Application, *, most: int = MOST, **options: Any) -> None:
        self._runner = web.AppRunner(
            app,
            access_log=None,
            keepalive_timeout=HEAD_S,
            lingering_time=_LINGER_S,
            **options,
        )
        logging.getLogger("aiohttp.server").addFilter(_is_a_fault)
        self._most = most
        self._server: asyncio.Server | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self, address: str, port: int) -> int:
        """Begin to serve; returns the port that is bound. Raises: OSError where it is taken."""
        await self._runner.setup()
        serve = self._runner.server
        assert serve is not None
        loop = asyncio.get_running_loop()
        connections = Connections(self._most, loop.time)
        self._server = await loop.create_server(
            lambda: _Connection(serve(), connections), address, port
        )
        self._watch = asyncio.create_task(_watch(connections), name="connections")
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop serving."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()


class _Connection(asyncio.Protocol):
    """Stands before aiohttp's own protocol and keeps the books."""

    def __init__(self, inner: asyncio.Protocol, connections: Connections) -> None:
        self._inner = inner
        self._connections = connections
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._inner.connection_made(transport)
        self._connections.admit(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._connections.forget(self._transport)
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()


def _is_a_fault(record: logging.LogRecord) -> bool:
    """Leave out what is no HTTP: anybody could fill the log with it, and with their own words."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


async def _watch(connections: Connections) -> None:
    while True:
        await asyncio.sleep(_LOOK_S)
        connections.end_stuck()


def _peer_of(transport: asyncio.Transport) -> str:
    """The address, without the port; empty where it is not known any more."""
    name = transport.get_extra_info("peername")
    return str(name[0]) if name else ""


@dataclass(slots=True)
class Health:
    """State the probes tell; each text says what is wrong, empty when nothing is.

    ``not_current`` is about what is known of the cluster, and who serves it: while it says
    something, one is not ready.
    """

    not_ready: str = "starting"
    not_alive: Callable[[], str] = lambda: ""
    not_current: Callable[[], str] = lambda: ""


class HttpServer:
    """Serves probes and metrics on two ports of one address."""

    def __init__(self, health: Health, metrics: Metrics) -> None:
        self._health = health
        self._metrics = metrics
        self._servers: list[WebServer] = []

    async def start(self, address: str, *, probes_port: int, metrics_port: int) -> tuple[int, int]:
        """Start serving.

        Returns: the ports really bound, probes then metrics.
        Raises: OSError where a port is taken.
        """
        probes = await self._serve(
            address, probes_port, {"/healthz": self._healthz, "/readyz": self._readyz}
        )
        return probes, await self._serve(address, metrics_port, {"/metrics": self._serve_metrics})

    async def close(self) -> None:
        """Stop serving."""
        for server in self._servers:
            await server.close()

    async def _serve(
        self,
        address: str,
        port: int,
        routes: dict[str, Callable[[web.Request], object]],
    ) -> int:
        app = web.Application()
        app.add_routes([web.get(path, handler) for path, handler in routes.items()])  # type: ignore[arg-type]
        server = WebServer(app)
        self._servers.append(server)
        return await server.start(address, port)

    async def _healthz(self, _: web.Request) -> web.Response:
        return _answer(self._health.not_alive())

    async def _readyz(self, _: web.Request) -> web.Response:
        health = self._health
        return _answer(health.not_ready or health.not_alive() or health.not_current())

    async def _serve_metrics(self, _: web.Request) -> web.Response:
        body = prometheus_client.generate_latest(self._metrics.registry)
        return web.Response(
            body=body, headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST}
        )


def _answer(problem: str) -> web.Response:
    return web.Response(text=problem or "ok", status=503 if problem else 200)
