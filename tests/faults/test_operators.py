"""Several operators at once while everything goes wrong: still one run at a time on a target."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest

from faults.chaos import Chaos, Replica
from faults.load import Load
from faults.rig import Rig, rigged
from harness.executions import unique_target
from harness.proxy import Proxy
from harness.waiting import holds_for
from harness.world import World, open_world
from localcluster import Cluster
from reliability import is_long
from reliability.tally import Tally

CHAOS_S = 45.0 if is_long() else 10.0
SEEDS = range(1, 5) if is_long() else range(1, 2)
PER_S = 4.0
TARGETS = 6
# A leader that is gone is noticed after 15 s; what waits for its next attempt waits half a minute.
DRAINED_WITHIN_S = 90.0
COOLDOWN = timedelta(seconds=3)
FLAGS = (
    f"--cooldown={COOLDOWN.total_seconds():.0f}s",
    "--resync-interval=5s",
    "--leftover-grace=1s",
    "--cancel-grace=5s",
)


@dataclass(frozen=True, slots=True)
class Crew:
    """So many operators; `is_elected` says whether only one of them works at a time."""

    size: int
    is_elected: bool

    @property
    def name(self) -> str:
        return f"{self.size}-{'elected' if self.is_elected else 'at-once'}"

    @property
    def longest_pause_s(self) -> float:
        """Past the end of a Lease, where there is one."""
        return 20.0 if self.is_elected and is_long() else 4.0


CREWS = [Crew(size, is_elected) for size in (2, 3) for is_elected in (False, True)]
SHORT = [Crew(3, False)]


@contextmanager
def replicas_of(world: World, crew: Crew) -> Iterator[list[Replica]]:
    """All operators of a crew, started; their logs show no alarm in the end."""
    with ExitStack() as stack:
        world.operator.start()
        found = [Replica(world.operator, world.proxy)]
        for _ in range(crew.size - 1):
            proxy = stack.enter_context(closing(Proxy(world.cluster)))
            found.append(Replica(world.new_operator(proxy.url), proxy))
            found[-1].operator.start()
        yield found
        for replica in found:
            # It may be about to end, having lost the Lease while it was paused.
            replica.operator.kill()
            replica.operator.assert_clean_log(trouble=True)


def deleting(rig: Rig, seed: int) -> Callable[[], None]:
    """Delete executions at random, ended or not."""
    chosen = random.Random(seed)

    def delete() -> None:
        there = [life.last for life in rig.history.executions().values() if not life.is_gone]
        with suppress(OSError):
            rig.world.executions.delete(chosen.choice(there or [rig.world.create("a/b/c")]))

    return delete


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("crew", CREWS if is_long() else SHORT, ids=lambda crew: crew.name)
def test_chaos(
    bare_cluster: Cluster, crew: Crew, seed: int, tallies: Callable[[str], Tally]
) -> None:
    flags = (*FLAGS, *(["--leader-election"] if crew.is_elected else []))
    with (
        open_world(bare_cluster, *flags, started=False, trouble=True) as world,
        replicas_of(world, crew) as replicas,
        rigged(world, [one.operator for one in replicas], is_patient=True) as rig,
    ):
        targets = [unique_target() for _ in range(TARGETS)]
        chosen = random.Random(seed)
        load = Load(world, PER_S, lambda: chosen.choice(targets))
        chaos = Chaos(replicas, seed, crew.longest_pause_s, deleting(rig, seed))
        with closing(load), closing(chaos):
            holds_for(lambda: None, CHAOS_S)
        recovery_s = rig.drained(load, DRAINED_WITHIN_S)
        print(seed, chaos.done)
        rig.judge(
            tallies(f"operators-{crew.name}"),
            recovery_s=recovery_s,
            cooldown=COOLDOWN,
        )
        # Who does not lead launches nothing, so no launch has to be called back.
        assert not crew.is_elected or rig.history.called_back() == []
