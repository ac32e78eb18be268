"""An HTTP proxy on loopback that tunnels, as between people and their clusters."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_BOUND_S = 10.0


@dataclass
class Tunnel:
    """``asked`` holds the first line of each request, and the headers behind it."""

    url: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def open_tunnel() -> Iterator[Tunnel]:
    """Tunnel what CONNECT asks for until the block is left."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        tunnel = Tunnel(f"http://127.0.0.1:{server.getsockname()[1]}")
        threading.Thread(target=_accept, args=(server, tunnel), daemon=True).start()
        yield tunnel


def _accept(server: socket.socket, tunnel: Tunnel) -> None:
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            threading.Thread(target=_connect, args=(client, tunnel), daemon=True).start()


def _connect(client: socket.socket, tunnel: Tunnel) -> None:
    client.settimeout(_BOUND_S)
    with client, suppress(OSError):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        tunnel.asked.append(head.decode(errors="replace"))
        host, _, port = head.split()[1].decode().rpartition(":")
        with socket.create_connection((host, int(port)), _BOUND_S) as there:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            threading.Thread(target=_copy, args=(there, client), daemon=True).start()
            _copy(client, there)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
