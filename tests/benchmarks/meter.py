"""Measures the cost of a period: the operator's CPU, the API server's, and every request."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from benchmarks import audit, processes, server_metrics
from benchmarks.audit import Asked
from benchmarks.played import Played, player, result_of
from benchmarks.rig import Ground, Operator, Rig

# What is posted without anybody waiting for it has come once nothing came for so long.
TAIL_S = 1.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one process under observation (CPU seconds), and of the API server with etcd.

    asked: what the operator asked. served: all requests the server counted itself, by kind.
    late_s: for how long it went on writing after it was asked what it had cost.
    """

    seconds: float
    cpu_s: float
    server_cpu_s: float
    asked: Asked
    served: Counter[str]
    rejected: int
    late_s: float

    def per_thousand(self, count: int) -> float:
        """CPU seconds for a thousand of what there were so many of."""
        return self.cpu_s * 1000 / count


def measured(rig: Rig, operator: Operator, ground: Ground, **what: Any) -> tuple[Played, Cost]:
    """Play a load to its end; what was seen, and what it has cost the operator."""
    with player(rig, ground, **what) as load:
        meter = Meter(rig, operator.pid)
        load.say("go")
        seen = result_of(load)
    return seen, meter.read()


class Meter:
    """Begins when it is made; `read` may be called as often as one likes."""

    def __init__(self, rig: Rig, pid: int) -> None:
        self._rig = rig
        self._pid = pid
        self._metrics = rig.server_metrics()
        self._audit_end = audit.end_of(rig.cluster.audit_log)
        self._server_cpu = rig.server_cpu()
        self._cpu = processes.usage(pid).cpu_s
        self._at = time.monotonic()

    def read(self, *, tail: float = TAIL_S) -> Cost:
        """The cost since the beginning, once nothing has been written for as long as `tail`."""
        asked_at, asked = time.monotonic(), self._asked()
        last_at, before = asked_at, None
        while tail and asked.writes != before:
            last_at, before = time.monotonic(), asked.writes
            time.sleep(tail)
            asked = self._asked()
        seconds, cpu = time.monotonic() - self._at, processes.usage(self._pid).cpu_s
        server_cpu, metrics = self._rig.server_cpu(), self._rig.server_metrics()
        counted = server_metrics.requests_by_kind
        return Cost(
            seconds=seconds,
            cpu_s=cpu - self._cpu,
            server_cpu_s=server_cpu - self._server_cpu,
            asked=asked,
            served=counted(metrics) - counted(self._metrics),
            rejected=server_metrics.rejected(metrics) - server_metrics.rejected(self._metrics),
            late_s=last_at - asked_at,
        )

    def _asked(self) -> Asked:
        return audit.asked_since(self._rig.cluster.audit_log, self._audit_end)
