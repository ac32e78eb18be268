"""One holder at a time for each target, and nothing left of locks nobody needs."""

import asyncio
import gc

import pytest

from workflowexecution.controller.execution import TargetLocks


async def test_one_at_a_time_on_a_target_and_many_on_several() -> None:
    locks, held, most = TargetLocks(), {"a": 0, "b": 0}, {"a": 0, "b": 0}
    gate, together = asyncio.Event(), 0

    async def work(key: str) -> None:
        nonlocal together
        async with locks.hold(key):
            held[key] += 1
            most[key] = max(most[key], held[key])
            together = max(together, sum(held.values()))
            await gate.wait()
            held[key] -= 1

    tasks = [asyncio.create_task(work(key)) for key in "aabbab"]
    await asyncio.sleep(0)
    assert held == {"a": 1, "b": 1}
    gate.set()
    await asyncio.gather(*tasks)
    assert (most, together) == ({"a": 1, "b": 1}, 2)
    gc.collect()
    assert len(locks._locks) == 0


async def test_a_lock_is_free_after_an_error() -> None:
    locks = TargetLocks()
    with pytest.raises(ValueError, match="wrong"):
        async with locks.hold("a"):
            raise ValueError("wrong")
    async with asyncio.timeout(1), locks.hold("a"):
        assert len(locks._locks) == 1
    gc.collect()
    assert len(locks._locks) == 0
