"""Free ports on loopback."""

from __future__ import annotations

import random
import socket

# Below the range that the kernel takes for outgoing connections: one of those could otherwise
# occupy a port between our choosing it and the program's listening on it.
LOWEST, HIGHEST = 20000, 32000


def free(count: int) -> list[int]:
    """Port numbers, all different, on which nothing listened a moment ago."""
    held = [listen() for _ in range(count)]
    numbers = [port_of(one) for one in held]
    for one in held:
        one.close()
    return numbers


def listen() -> socket.socket:
    """A listening socket on 127.0.0.1 at a free port."""
    while True:
        candidate = socket.socket()
        try:
            candidate.bind(("127.0.0.1", random.randint(LOWEST, HIGHEST)))
            candidate.listen(128)
        except OSError:
            candidate.close()
            continue
        return candidate


def port_of(listening: socket.socket) -> int:
    """The port number of a socket."""
    return int(listening.getsockname()[1])


def accepts(port: int) -> bool:
    """Whether something accepts connections on 127.0.0.1 at `port`."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
