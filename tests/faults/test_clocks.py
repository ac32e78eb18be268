"""The operator's own clock is wrong, or jumps: a cooldown is neither shortened nor stretched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from faults import stories
from harness.executions import phase_of
from harness.process import OperatorProcess
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster, machine
from reliability import is_long, long_only
from reliability.tally import Tally

SCENARIO = "clocks"
COOLDOWN = timedelta(seconds=6)
FLAGS = (f"--cooldown={COOLDOWN.total_seconds():.0f}s", "--resync-interval=2s")
JUMPS = (600, -600, 7200, -86400)
CHOSEN = JUMPS if is_long() else JUMPS[1:2]
# Times in statuses are whole seconds, and so is the Date of a reply.
STEP_S = 2.0
LIBRARY = machine.faketime()

pytestmark = pytest.mark.skipif(LIBRARY is None, reason="the Debian package libfaketime is missing")


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of the operator: so many seconds ahead of the real one."""

    file: Path

    def jump(self, ahead: int) -> None:
        """Be so far ahead from now on; only what is whole is ever read."""
        part = self.file.with_suffix(".part")
        part.write_text(f"{ahead:+d}s\n")
        part.replace(self.file)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that give a process this clock. The speed of time stays the same."""
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


@pytest.fixture
def world(bare_cluster: Cluster) -> Iterator[World]:
    with open_world(bare_cluster, *FLAGS, started=False) as opened:
        yield opened


def operator_by(world: World, clock: Clock) -> OperatorProcess:
    """An operator that lives by this clock, started."""
    operator = world.new_operator(world.proxy.url, environment=clock.environment)
    operator.start()
    return operator


def cooled_for(world: World, target: str) -> float:
    """Seconds from the end of a run to the next of the same workflow, as the server has them."""
    (first,) = stories.life(world, target)
    held = 0

    def launched() -> None:
        nonlocal held
        item = stories.decided(world, world.create(target))
        held += phase_of(item) == "Skipped"
        assert phase_of(item) == "Running", item["status"]["skipDetails"]["message"]

    eventually(launched, COOLDOWN.total_seconds() * 5, dump=world.dump)
    assert held > 0, f"no cooldown at all after {first['metadata']['name']}"
    began_at = world.runs(target)[-1]["metadata"]["creationTimestamp"]
    ended_at = first["status"]["completionTime"]
    return (datetime.fromisoformat(began_at) - datetime.fromisoformat(ended_at)).total_seconds()


@long_only
@pytest.mark.parametrize("ahead", CHOSEN)
def test_a_clock_that_is_wrong(world: World, tmp_path: Path, tally: Tally, ahead: int) -> None:
    clock = Clock(tmp_path / "clock")
    clock.jump(ahead)
    operator = operator_by(world, clock)
    assert abs(_seen_by(operator) - time.time() - ahead) < 60, "the clock is not wrong"
    _is_right(cooled_for(world, stories.target()), tally)
    operator.stop()


@pytest.mark.parametrize("ahead", CHOSEN)
def test_a_clock_that_jumps(world: World, tmp_path: Path, tally: Tally, ahead: int) -> None:
    """While a run is at work, and once more while its target cools down."""
    clock = Clock(tmp_path / "clock")
    clock.jump(0)
    operator = operator_by(world, clock)
    target = stories.target()
    item, run = stories.launched(world, target, workflow="other")
    clock.jump(ahead)
    run = world.tekton.begin(run)
    world.tekton.succeed(run)
    assert phase_of(stories.ended(world, item)) == "Completed"
    _is_right(cooled_for(world, target), tally)
    clock.jump(-ahead)
    operator.kill()
    operator.start()
    _is_right(cooled_for(world, stories.target()), tally)
    operator.stop()


def _is_right(seconds: float, tally: Tally) -> None:
    low, high = COOLDOWN.total_seconds() - STEP_S, COOLDOWN.total_seconds() + 5 * STEP_S
    is_wrong = not low <= seconds <= high
    tally.add(executions=2, wrong_phases=is_wrong)
    assert not is_wrong, f"cooled for {seconds:.1f} s"


def _seen_by(operator: OperatorProcess) -> float:
    """The operator's own clock, from how far it finds the server's ahead of it."""
    return time.time() - operator.metric("workflowexecution_clock_offset_seconds")
