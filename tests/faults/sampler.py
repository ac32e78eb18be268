"""Samples the memory, files and tasks of operators again and again while they work."""

from __future__ import annotations

import csv
import os
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.process import OperatorProcess

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")
PREFIXES = ("workflowexecution_tasks", "workflowexecution_remembered", "workflowexecution_queue")
LEADER = "workflowexecution_leader"


@dataclass(frozen=True, slots=True)
class Stint:
    """One operator's one life, for as long as it leads, or stands by."""

    operator: int
    pid: int
    is_leading: bool

    @property
    def role(self) -> str:
        return "leading" if self.is_leading else "standing by"


@dataclass(frozen=True, slots=True)
class Sample:
    """The values that were measured at a moment, in seconds since the sampler began."""

    at_s: float
    values: Mapping[str, float]


class Sampler:
    """Measures every operator that runs, in a thread of its own, until closed.

    `stints` are complete once it is closed.
    """

    def __init__(self, operators: Sequence[OperatorProcess], every_s: float) -> None:
        self.stints: dict[Stint, list[Sample]] = defaultdict(list)
        self._operators = operators
        self._every_s = every_s
        self._began_at = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Measure no more."""
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            for number, operator in enumerate(self._operators):
                if operator.is_running:
                    self._measure(number, operator)

    def _measure(self, number: int, operator: OperatorProcess) -> None:
        pid = operator.pid
        try:
            values = {**read_process(pid), **read_metrics(operator)}
        except OSError:
            # It ended meanwhile, or does not answer yet.
            return
        stint = Stint(number, pid, is_leading=values.pop(LEADER) == 1)
        self.stints[stint].append(Sample(time.monotonic() - self._began_at, values))


def read_process(pid: int) -> dict[str, float]:
    """The numbers that Linux has of a process. Raises: OSError where it is gone."""
    folder = _PROC / str(pid)
    pages = int((folder / "statm").read_text().split()[1])
    kinds = [_kind_of(link) for link in (folder / "fd").iterdir()]
    return {
        "rss_mb": pages * _PAGE / 2**20,
        "fds": len(kinds),
        "sockets": kinds.count("socket"),
        "threads": len(list((folder / "task").iterdir())),
    }


def _kind_of(link: Path) -> str:
    try:
        return str(link.readlink()).partition(":")[0]
    except FileNotFoundError:
        return "closed"


def read_metrics(operator: OperatorProcess) -> dict[str, float]:
    """The metrics of an operator. Raises: OSError where it does not answer."""
    status, text = operator.ask("/metrics")
    if status != 200:
        raise OSError(text)
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {
        series: float(value) for series, _, value in lines if series.startswith((*PREFIXES, LEADER))
    }


def write_csv(stints: Mapping[Stint, Sequence[Sample]], file: Path, every_s: float = 60) -> None:
    """Write the first sample of each stint in each minute, in the order of time."""
    rows = []
    for stint, samples in stints.items():
        firsts = {int(sample.at_s // every_s): sample for sample in reversed(samples)}
        rows += [(sample.at_s, stint, sample.values) for sample in firsts.values()]
    names = [*rows[0][2]]
    with file.open("w", newline="") as content:
        writer = csv.writer(content, lineterminator="\n")
        writer.writerow(["at_s", "operator", "role", *names])
        for at_s, stint, values in sorted(rows, key=lambda row: row[0]):
            measured = [round(values[name], 2) for name in names]
            writer.writerow([round(at_s), stint.operator, stint.role, *measured])
