"""Carry connections from a socket of this machine into the network that this process is in now."""

from __future__ import annotations

import asyncio
import contextlib
import socket

CHUNK_BYTES = 1 << 18


async def forward(listening: socket.socket, port: int) -> asyncio.Server:
    """Serve `listening`, made before its network was left, from 127.0.0.1:`port` of the present.

    The server keeps running until its event loop ends.
    """

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(inner_writer):
                await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))

    return await asyncio.start_server(carry, sock=listening, limit=CHUNK_BYTES)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end of input, then pass the end on; the other direction may go on."""
    while chunk := await reader.read(CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
