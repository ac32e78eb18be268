"""Anything at any time: faults of all kinds, in an order that a seed decides."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from faults.outages import RESOURCES
from faults.ways import WAYS
from harness import faults, streams
from harness.faults import Fault, Matches
from harness.process import OperatorProcess
from harness.proxy import Proxy
from harness.streams import StreamFault

PAUSE_S = (0.05, 0.5)
# How long one thing lasts at most.
LASTS_S = 4.0
MATCHES: tuple[Matches, ...] = (
    faults.is_write,
    faults.is_list,
    faults.is_watch,
    faults.anything,
    faults.kind("create pipelineruns"),
    faults.kind("patch workflowexecutions/status"),
    faults.kind("get pipelineruns", "get workflowexecutions"),
)
REWRITES = (streams.twice, streams.every_other, streams.cut_short, streams.backwards(0.5))


@dataclass(frozen=True, slots=True)
class Replica:
    """One operator, and the proxy that it alone goes through."""

    operator: OperatorProcess
    proxy: Proxy


class Chaos:
    """Does one thing after the other to some operators, in a thread of its own, until closed.

    `done` counts what was done. When it is closed, every operator can reach its server again.
    """

    def __init__(
        self,
        replicas: Sequence[Replica],
        seed: int,
        longest_pause_s: float,
        more: Callable[[], None],
    ) -> None:
        self.done: Counter[str] = Counter()
        self._replicas = replicas
        self._random = random.Random(seed)
        self._longest_pause_s = longest_pause_s
        self._more = more
        self._stop = threading.Event()
        self._actions: tuple[Callable[[Replica], None], ...] = (
            *[self._fail_requests] * 4,
            self._change_streams,
            self._withhold,
            self._cut,
            self._disconnect,
            self._kill,
            self._pause,
            lambda _: self._more(),
        )
        self._thread = threading.Thread(target=self._run, name="chaos", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, and take every fault away."""
        self._stop.set()
        self._thread.join(60)
        for replica in self._replicas:
            replica.proxy.heal()
            replica.proxy.listen()

    def _run(self) -> None:
        while not self._stop.wait(self._random.uniform(*PAUSE_S)):
            act = self._random.choice(self._actions)
            self.done[getattr(act, "__name__", "more").strip("_<>")] += 1
            act(self._random.choice(self._replicas))

    def _lasting(self) -> float:
        return self._random.uniform(0.2, LASTS_S)

    def _fail_requests(self, replica: Replica) -> None:
        way = self._random.choice(WAYS)
        if way.is_refusal:
            # What is refused for good is another story.
            return
        times = self._random.randint(1, 6)
        matches = self._random.choice(MATCHES)
        replica.proxy.inject(Fault(matches=matches, when=way.when, act=way.act, times=times))

    def _change_streams(self, replica: Replica) -> None:
        rewrite = self._random.choice(REWRITES)
        replica.proxy.change_streams(StreamFault(matches=faults.anything, rewrite=rewrite))
        self._stop.wait(self._lasting())
        replica.proxy.stream_faults.clear()
        replica.proxy.cut_watches()

    def _withhold(self, replica: Replica) -> None:
        resource = self._random.choice(RESOURCES)
        replica.proxy.withheld.add(resource)
        self._stop.wait(self._lasting())
        replica.proxy.withheld.discard(resource)

    def _cut(self, replica: Replica) -> None:
        replica.proxy.cut_watches()

    def _disconnect(self, replica: Replica) -> None:
        replica.proxy.refuse_connections()
        self._stop.wait(self._lasting())
        replica.proxy.listen()

    def _kill(self, replica: Replica) -> None:
        if replica.operator.is_running:
            replica.operator.kill()

    def _pause(self, replica: Replica) -> None:
        if not replica.operator.is_running:
            return
        pid = replica.operator.pid
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            self._stop.wait(self._random.uniform(0.2, self._longest_pause_s))
            os.kill(pid, signal.SIGCONT)
