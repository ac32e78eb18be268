"""Notes how long each garbage collection takes, and writes the sums at the end of the process."""

import atexit
import gc
import json
import os
import time
from typing import Any

_TARGET = os.environ["BENCHMARK_PAUSES"]
_sums = {"count": 0.0, "full": 0.0, "total_s": 0.0, "longest_s": 0.0, "cpu_s": 0.0}
_began = 0.0
_cpu_before = 0.0


def _note(phase: str, info: dict[str, Any]) -> None:
    global _began, _cpu_before
    if phase == "start":
        _began, _cpu_before = time.perf_counter(), time.thread_time()
        return
    seconds = time.perf_counter() - _began
    _sums["count"] += 1
    _sums["full"] += info["generation"] == 2
    _sums["total_s"] += seconds
    _sums["cpu_s"] += time.thread_time() - _cpu_before
    _sums["longest_s"] = max(_sums["longest_s"], seconds)


def _write() -> None:
    with open(_TARGET, "w") as file:
        json.dump(_sums, file)


gc.callbacks.append(_note)
atexit.register(_write)
