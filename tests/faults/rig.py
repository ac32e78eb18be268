"""The base of every scenario with many executions, and the judgement at its end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from faults.load import Load
from faults.traffic import Traffic
from harness.history import History
from harness.kubelet import Kubelet
from harness.player import Player
from harness.process import OperatorProcess
from harness.waiting import eventually
from harness.world import World
from reliability.tally import Tally

COOLDOWN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """A history of everything, Tekton played, and a kubelet for each operator."""

    world: World
    history: History
    kubelets: tuple[Kubelet, ...]

    @property
    def restarts(self) -> int:
        """Of the operator that was restarted most."""
        return max((kubelet.restarts for kubelet in self.kubelets), default=0)

    def drained(self, load: Load | Traffic, seconds: float) -> float:
        """Wait until every execution of a load, which is closed, has ended; returns how long."""
        began_at = time.monotonic()

        def check() -> None:
            assert len(self.history.executions()) >= len(load.items)
            lost = self.history.lost()
            assert not lost, lost

        eventually(check, seconds, dump=self.world.dump)
        return time.monotonic() - began_at

    def judge(
        self,
        tally: Tally,
        *,
        recovery_s: float | None,
        cooldown: timedelta = COOLDOWN,
    ) -> None:
        """Add what was found and fail where anything was wrong."""
        doubles = self.history.double_runs()
        wrong = self.history.wrong_steps() + self.history.wrong_ends(cooldown)
        lost = self.history.lost()
        tally.add(
            executions=len(self.history.executions()),
            double_runs=len(doubles),
            lost=len(lost),
            wrong_phases=len(wrong),
            recovery_s=recovery_s,
            restarts=self.restarts,
            launches_called_back=len(self.history.called_back()),
        )
        print(tally.result, [kubelet.reasons for kubelet in self.kubelets])
        told = [self.history.changes_on(target) for target, *_ in doubles]
        assert not doubles, "\n".join([str(doubles), *told])
        assert not wrong, "\n".join([*wrong, self.world.dump()])
        assert not lost, lost


@contextmanager
def rigged(
    world: World, operators: Sequence[OperatorProcess] = (), *, is_patient: bool = False
) -> Iterator[Rig]:
    """A rig around a world, whose kubelets look after these operators."""
    with ExitStack() as stack:
        sources = world.sources
        history = History(world.cluster, world.execution_namespace, sources)
        stack.enter_context(closing(history))
        stack.enter_context(closing(Player(world.cluster, world.execution_namespace)))
        kubelets = tuple(
            stack.enter_context(closing(Kubelet(one, is_patient=is_patient))) for one in operators
        )
        yield Rig(world=world, history=history, kubelets=kubelets)
