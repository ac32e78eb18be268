"""A port serves with any misuse of its connections, and keeps no trace of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web

from workflowexecution.observe import web_server
from workflowexecution.observe.metrics import Metrics
from workflowexecution.observe.web_server import Connections, Health, HttpServer, WebServer

Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_opened: list[asyncio.StreamWriter] = []
LARGE = b"x" * 8_000_000


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in a test's time."""
    monkeypatch.setattr(web_server, "HEAD_S", 0.3)
    monkeypatch.setattr(web_server, "STUCK_S", 0.3)
    monkeypatch.setattr(web_server, "_LOOK_S", 0.05)
    monkeypatch.setattr(web_server, "_LINGER_S", 0.2)


@asynccontextmanager
async def served(most: int = 50) -> AsyncIterator[int]:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    async def large(_: web.Request) -> web.Response:
        return web.Response(body=LARGE)

    app = web.Application()
    app.add_routes([web.get("/", hello), web.get("/large", large)])
    server = WebServer(app, most=most, shutdown_timeout=0.1)
    port = await server.start("127.0.0.1", 0)
    try:
        yield port
    finally:
        await server.close()
        await _closed()


async def _closed() -> None:
    for writer in _opened:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    _opened.clear()


async def opened(port: int, sent: bytes = b"", source: str = "127.0.0.1") -> Opened:
    # What the peer has not read stays with the server, and not in a buffer of ours.
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, local_addr=(source, 0), limit=1024
    )
    _opened.append(writer)
    writer.write(sent)
    return reader, writer


async def has_ended(connection: Opened, within: float = 5.0) -> bool:
    try:
        async with asyncio.timeout(within):
            while await connection[0].read(65536):
                pass
        return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False


async def is_served(port: int, source: str = "127.0.0.2") -> bool:
    reader, _ = await opened(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", source)
    async with asyncio.timeout(5):
        line = await reader.readline()
    return line.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 7000,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost:",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
    ids=[
        "nothing",
        "letter",
        "half-a-head",
        "kept",
        "second-head",
        "body",
        "chunk",
        "upgrade",
        "tls",
    ],
)
@pytest.mark.usefixtures("_short")
async def test_a_connection_without_a_whole_request_ends(sent: bytes) -> None:
    async with served() as port:
        assert await has_ended(await opened(port, sent))
        assert await is_served(port)


@pytest.mark.usefixtures("_short")
async def test_bytes_now_and_then_do_not_prolong_a_head() -> None:
    async with served() as port:
        reader, writer = await opened(port, b"GET / HTTP/1.1\r\n")

        async def trickle() -> None:
            while True:
                writer.write(b"X: y\r\n")
                await asyncio.sleep(0.05)

        task = asyncio.create_task(trickle())
        assert await has_ended((reader, writer))
        task.cancel()


@pytest.mark.usefixtures("_short")
async def test_a_peer_that_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    is_cut_off = asyncio.Event()

    class Noted(Connections):
        def forget(self, transport: asyncio.Transport) -> None:
            super().forget(transport)
            is_cut_off.set()

    monkeypatch.setattr(web_server, "Connections", Noted)
    async with served() as port:
        reader, _ = await opened(port, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.wait_for(is_cut_off.wait(), 30)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(len(LARGE)), 5)


@pytest.mark.parametrize(("seconds", "is_kept"), [(-1, True), (1, False)])
async def test_a_peer_that_reads_slowly_is_served_for_so_long(
    monkeypatch: pytest.MonkeyPatch, seconds: int, is_kept: bool
) -> None:
    """The clock is the test's own, so a busy machine makes nobody slow."""
    now, looks = [0.0], asyncio.Semaphore(0)

    class Watched(Connections):
        def __init__(self, most: int, _: object) -> None:
            super().__init__(most, lambda: now[0])

        def end_stuck(self) -> None:
            super().end_stuck()
            looks.release()

    async def until_looked_at() -> None:
        """Wait for a look that began after this was called."""
        while not looks.locked():
            await looks.acquire()
        for _ in range(2):
            await looks.acquire()

    monkeypatch.setattr(web_server, "Connections", Watched)
    monkeypatch.setattr(web_server, "_LOOK_S", 0.01)
    async with served() as port:
        reader, _ = await opened(port, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        got = len(await reader.read(100_000))
        await until_looked_at()
        now[0] = web_server.STUCK_S + seconds
        await until_looked_at()
        rest = reader.readexactly(len(LARGE) - got)
        if is_kept:
            assert len(await rest) == len(LARGE) - got
            return
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(rest, 30)


async def test_who_has_most_connections_loses_the_oldest_and_nobody_is_refused() -> None:
    async with served(most=20) as port:
        honest = await opened(port, source="127.0.0.3")
        greedy = [await opened(port) for _ in range(60)]
        ended = await asyncio.gather(*(has_ended(one, 1) for one in greedy))
        assert ended == [True] * 41 + [False] * 19
        # Kubelet, from an address of its own, and from that of somebody else.
        assert await is_served(port, "127.0.0.9")
        assert await is_served(port, "127.0.0.1")
        assert not await has_ended(honest, 0.1)


async def test_from_however_many_addresses_the_newest_is_served() -> None:
    async with served(most=20) as port:
        for number in range(1, 61):
            await opened(port, source=f"127.0.1.{number}")
        assert await is_served(port, "127.0.0.9")


class Transport:
    """A connection of a peer with so many bytes that it has not read."""

    def __init__(self, peer: str | None = "a", unread: int = 0) -> None:
        self.peer, self.unread, self.aborted = peer, unread, 0

    def get_extra_info(self, _: str) -> tuple[str, int] | None:
        return None if self.peer is None else (self.peer, 1)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def abort(self) -> None:
        self.aborted += 1


def test_what_has_ended_is_forgotten_once() -> None:
    connections = Connections(2, lambda: 0.0)
    one, two, three = (Transport(peer) for peer in ("a", None, "a"))
    for item in (one, two, three):
        connections.admit(item)  # type: ignore[arg-type]
    assert (one.aborted, two.aborted, three.aborted, len(connections)) == (1, 0, 0, 2)
    for item in (one, two, three, one):
        connections.forget(item)  # type: ignore[arg-type]
    assert len(connections) == 0


def test_only_who_reads_nothing_for_long_is_stuck() -> None:
    now = [0.0]
    connections = Connections(9, lambda: now[0])
    reads, stuck = Transport(unread=5), Transport(unread=5)
    for item in (reads, stuck):
        connections.admit(item)  # type: ignore[arg-type]
    for now[0], reads.unread in ((0.0, 5), (20.0, 0), (29.0, 5), (31.0, 5)):
        connections.end_stuck()
    assert (reads.aborted, stuck.aborted) == (0, 1)


@pytest.mark.usefixtures("_short")
async def test_probes_and_metrics_are_bounded_too() -> None:
    server = HttpServer(Health(not_ready=""), Metrics())
    try:
        for port in await server.start("127.0.0.1", probes_port=0, metrics_port=0):
            assert await has_ended(await opened(port))
    finally:
        await server.close()
        await _closed()
