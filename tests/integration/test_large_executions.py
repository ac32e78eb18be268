"""Executions as large as the API server takes: launched as they are, and no burden meanwhile."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.executions import execution, unique
from harness.holds import held, waiting_for
from harness.waiting import eventually, holds_for
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object

COUNT = 80
# Of one that has only small executions to look after it is about 75 MB; a quarter of what it
# may use as shipped has to do for all of these.
MOST_MB = 128


def wide(length: int) -> str:
    """Text that takes four bytes a character in memory, and hardly more than one in JSON."""
    return "\U0001f4a5" + "a" * (length - 1)


def largest(world: World, target: str) -> Object:
    parameters = {f"P_{number}": wide(32_765) for number in range(7)}
    item = execution(target, namespace=world.source, parameters=parameters, rationale=wide(65_536))
    item["metadata"]["annotations"] = {"notes": wide(250_000)}
    return item


def test_its_parameters_reach_the_run_and_are_read_once(world: World, target: str) -> None:
    item = largest(world, target)
    before = world.proxy.mark()
    made = world.in_phase(world.executions.create(item), "Running")
    run = world.run_of(made)
    given = {one["name"]: one["value"] for one in run["spec"]["params"]}
    assert given == {**item["spec"]["parameters"], "TARGET_RESOURCE": target}

    def exactly() -> None:
        asked = Counter(one.kind for one in world.proxy.since(before))
        assert asked == {
            "get workflowexecutions": 1,
            "create pipelineruns": 1,
            "patch workflowexecutions/status": 1,
            "create events": 1,
        }

    eventually(exactly, 5)
    holds_for(exactly, 0.3)


def test_one_that_is_large_and_cannot_be_run_is_refused(world: World, target: str) -> None:
    item = largest(world, target)
    image, digest = f"registry.example/a@sha256:{'a' * 64}", f"sha256:{'b' * 64}"
    item["spec"]["workflowRef"] |= {"containerImage": image, "containerDigest": digest}
    status = world.ended(world.executions.create(item), "Failed")["status"]
    assert status["failureReason"] == "ConfigurationError"
    assert "differs from the digest" in status["failureDetails"]["message"]


@pytest.fixture(scope="module")
def crowd(bare_cluster: Cluster) -> Any:
    """A world in which many of the largest wait for a person."""
    with open_world(bare_cluster) as world:
        yield world


def test_many_of_the_largest_take_little_memory(crowd: World) -> None:
    with held(crowd):
        items = [
            crowd.executions.create(largest(crowd, f"payment/Deployment/{unique('large')}"))
            for _ in range(COUNT)
        ]
        waiting_for(crowd, items[-1])
        told = peak_mb(crowd.operator.pid)
        crowd.operator.stop()
        crowd.operator.start()
        eventually(lambda: _assert_known(crowd), dump=crowd.operator.log_tail)
        listed = peak_mb(crowd.operator.pid)
    for item in items:
        crowd.in_phase(item, "Running", 60)
    launched = peak_mb(crowd.operator.pid)
    assert max(told, listed, launched) < MOST_MB, (told, listed, launched)


def _assert_known(world: World) -> None:
    assert world.operator.metric('workflowexecution_remembered{kind="execution"}') == COUNT


def peak_mb(pid: int) -> float:
    """The most memory that a process has ever had, as Linux notes it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak) / 1024
