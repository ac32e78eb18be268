"""Streams are bounded, and whoever is slow misses nothing but repetitions."""

import asyncio
from contextlib import ExitStack

import pytest

from workflowexecution.page.limits import MOST_STREAMS, MOST_STREAMS_OF_ONE, Streams, TooManyError


def test_there_are_only_so_many_in_all_and_of_one_visitor() -> None:
    streams = Streams()
    with ExitStack() as opened:
        for _ in range(MOST_STREAMS_OF_ONE):
            opened.enter_context(streams.open("ann"))
        with pytest.raises(TooManyError), streams.open("ann"):
            pass
        for number in range(MOST_STREAMS - MOST_STREAMS_OF_ONE):
            opened.enter_context(streams.open(f"visitor-{number}"))
        with pytest.raises(TooManyError), streams.open("ben"):
            pass
    assert len(streams) == 0
    with streams.open("ann"):
        assert len(streams) == 1


async def test_what_changes_often_is_told_once() -> None:
    streams = Streams()
    teller = asyncio.create_task(streams.notify())
    with streams.open("ann") as flag:
        for _ in range(1000):
            streams.changed()
        async with asyncio.timeout(5):
            await flag.wait()
        flag.clear()
        await asyncio.sleep(0)
        assert not flag.is_set()
    teller.cancel()
    await asyncio.gather(teller, return_exceptions=True)
