"""Two operators as they are installed: one leads, the other stands by."""

from __future__ import annotations

import time

from faults.sampler import LEADER, read_metrics
from harness.process import OperatorProcess
from harness.waiting import eventually
from harness.world import World

# A leader that is gone without a word is noticed after 15 s.
TAKEN_OVER_WITHIN_S = 30.0
STARTED_WITHIN_S = 30.0


class Pair:
    """Both go through the world's proxy; `taken_over_s` tells how long each change of leader took.

    Nobody else starts them anew: one that ends by itself stays away.
    """

    def __init__(self, world: World) -> None:
        self.members = (world.operator, world.new_operator(world.proxy.url))
        self.taken_over_s: list[float] = []
        self._world = world
        for operator in self.members:
            operator.start()
        eventually(self.leader, STARTED_WITHIN_S, dump=world.dump)

    def leader(self) -> OperatorProcess:
        """The one that leads; AssertionError where none does."""
        leading = [one for one in self.members if _is_leading(one)]
        assert len(leading) == 1, f"{len(leading)} lead"
        return leading[0]

    def replace_leader(self, *, is_warned: bool) -> None:
        """End the leader, by a signal that it may obey or without one, and start it anew."""
        leader = self.leader()
        began_at = time.monotonic()
        (leader.stop if is_warned else leader.kill)()
        eventually(self.leader, TAKEN_OVER_WITHIN_S, dump=self._world.dump)
        self.taken_over_s.append(time.monotonic() - began_at)
        leader.start()

    def assert_both_live(self) -> None:
        """Neither has ended, or says that something is wrong with it."""
        for operator in self.members:
            assert operator.is_running, operator.log_tail()
            assert operator.ask("/healthz") == (200, "ok"), operator.log_tail()

    def remembered(self) -> list[dict[str, float]]:
        """The number of objects that each of them remembers, by kind, without zeros."""
        return [
            {name: value for name, value in read_metrics(one).items() if _is_left(name, value)}
            for one in self.members
        ]

    def close(self) -> None:
        """Stop both; they end well, and have nothing bad to tell."""
        for operator in self.members:
            operator.stop()
            operator.assert_clean_log()


def _is_leading(operator: OperatorProcess) -> bool:
    return operator.is_running and operator.metric(LEADER) == 1


def _is_left(name: str, value: float) -> bool:
    return name.startswith("workflowexecution_remembered") and value > 0
