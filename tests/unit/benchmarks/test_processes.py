"""The kernel's numbers about a process are read in their own units."""

from __future__ import annotations

import os

from benchmarks import processes

STATUS = "Name:\tpython\nVmHWM:\t  200000 kB\nVmRSS:\t  100000 kB\nThreads:\t4\n"


def test_cpu_time_is_user_and_system_time() -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    fields = ["S", *["0"] * 10, str(3 * ticks), str(2 * ticks), *["0"] * 30]
    assert processes.cpu_seconds(f"42 (a ) name) {' '.join(fields)}") == 5.0


def test_memory_is_told_in_millions_of_bytes() -> None:
    assert processes.megabytes(STATUS, "VmRSS") == 102.4
    assert processes.megabytes(STATUS, "VmHWM") == 204.8


def test_this_process_has_used_something() -> None:
    used = processes.usage(os.getpid())
    assert used.cpu_s > 0
    assert 1 < used.rss_mb <= used.peak_mb
