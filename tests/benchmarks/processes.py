"""Reads the use of CPU and memory of a process from the kernel."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU time in seconds (user and system), memory in MB: resident now, and at its peak."""

    cpu_s: float
    rss_mb: float
    peak_mb: float


def usage(pid: int) -> Usage:
    """The use of a process so far; FileNotFoundError where it is gone."""
    root = Path(f"/proc/{pid}")
    status = (root / "status").read_text()
    return Usage(
        cpu_s=cpu_seconds((root / "stat").read_text()),
        rss_mb=megabytes(status, "VmRSS"),
        peak_mb=megabytes(status, "VmHWM"),
    )


def cpu_seconds(stat: str) -> float:
    """User and system time in the text of /proc/PID/stat; names may hold spaces and brackets."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def megabytes(status: str, field: str) -> float:
    """A size in the text of /proc/PID/status, in MB of 10^6 bytes."""
    line = next(line for line in status.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024 / 1e6


def find(program: str, argument: str) -> int:
    """Process id of the program that was started with this text in its arguments."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if words[0].endswith(program) and any(argument in word for word in words[1:]):
            return int(folder.name)
    raise LookupError(f"no {program} with {argument}")


def arguments(pid: int) -> list[str]:
    """With what a process was started."""
    return (Path(f"/proc/{pid}") / "cmdline").read_text().split("\0")


def load() -> float:
    """The number of processes that wanted a CPU, on average over the last minute."""
    return os.getloadavg()[0]
