"""The faults of a watch that is open: its lines are changed on their way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from harness.exchange import Exchange
from harness.faults import LostConnectionError, Matches, status_of

Lines = AsyncIterator[bytes]
# Makes of the lines that the server sends those that the asker gets; the stream ends with them.
Rewrite = Callable[[Lines], Lines]


@dataclass(slots=True, kw_only=True)
class StreamFault:
    """Changes the next `times` watches that match, from their beginning on."""

    matches: Matches
    rewrite: Rewrite
    times: int = 10**9
    struck: int = 0

    def strikes(self, exchange: Exchange) -> bool:
        """Whether it changes this watch; asked once for each."""
        if self.struck >= self.times or not self.matches(exchange):
            return False
        self.struck += 1
        return True


async def twice(lines: Lines) -> Lines:
    """Tell everything twice."""
    async for line in lines:
        yield line
        yield line


async def every_other(lines: Lines) -> Lines:
    """Leave out each second event; bookmarks, which say how far one has come, are all told."""
    is_told = False
    async for line in lines:
        is_told = not is_told
        if is_told or b'"type":"BOOKMARK"' in line[:40]:
            yield line


def backwards(seconds: float) -> Rewrite:
    """Collect what comes within so many seconds, and tell it in the opposite order."""

    async def rewrite(lines: Lines) -> Lines:
        coming: asyncio.Queue[bytes | None] = asyncio.Queue()
        pump = asyncio.create_task(_pump(lines, coming))
        try:
            while (first := await coming.get()) is not None:
                await asyncio.sleep(seconds)
                collected = [first, *_taken(coming)]
                for line in reversed(collected):
                    yield line
        finally:
            pump.cancel()

    return rewrite


def error(code: int, reason: str, after: int = 0) -> Rewrite:
    """Let so many events pass, then tell of an error, as the API server ends a watch with."""
    event = json.dumps({"type": "ERROR", "object": status_of(code, reason)}).encode() + b"\n"

    async def rewrite(lines: Lines) -> Lines:
        async for line in _first(lines, after):
            yield line
        yield event

    return rewrite


async def cut_short(lines: Lines) -> Lines:
    """Lose the connection in the midst of the first event."""
    async for line in half_a_line(lines):
        yield line
    raise LostConnectionError


async def half_a_line(lines: Lines) -> Lines:
    """End in the midst of the first event, in good form."""
    async for line in _first(lines, 1):
        yield line[: len(line) // 2]


async def lines_of(chunks: AsyncIterator[bytes]) -> Lines:
    """Whole lines, each with its end, out of chunks of any size."""
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line + b"\n"
    if rest:
        yield rest


async def _first(lines: Lines, count: int) -> Lines:
    if count == 0:
        return
    async for line in lines:
        yield line
        count -= 1
        if count == 0:
            return


async def _pump(lines: Lines, coming: asyncio.Queue[bytes | None]) -> None:
    try:
        async for line in lines:
            coming.put_nowait(line)
    finally:
        coming.put_nowait(None)


def _taken(coming: asyncio.Queue[bytes | None]) -> list[bytes]:
    """All lines that wait now; the mark of the end is left for the next look."""
    found: list[bytes] = []
    while not coming.empty():
        line = coming.get_nowait()
        if line is None:
            coming.put_nowait(None)
            break
        found.append(line)
    return found
