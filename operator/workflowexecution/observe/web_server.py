"""HTTP for untrusted clients: connections are limited in time, and in number.

A connection is closed if it sends no whole request within some seconds, also one that is kept for
the next request, and if its peer does not read what it was sent. Nobody is refused a connection:
where there are too many, the peer that has most of them loses its oldest one. So kubelet, which has
one, is served regardless of other clients.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

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
