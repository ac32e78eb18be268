"""Notes how long each garbage collection takes, and writes the sums at the end of the process."""

import atexit
import gc
import json
import os
import time
from typing import Any

_TARGET = os.environ["BENCHMARK_PAUSES"]
_sums = {"count": 0.0, "full": 0.0, "total_s": 0.0, "longest_s": 0.0}
_began = 0.0


def _note(phase: str, info: dict[str, Any]) -> None:
    global _began
    if phase == "start":
        _began = time.perf_counter()
        return
    seconds = time.perf_counter() - _began
    _sums["count"] += 1
    _sums["full"] += info["generation"] == 2
    _sums["total_s"] += seconds
    _sums["longest_s"] = max(_sums["longest_s"], seconds)


def _write() -> None:
    with open(_TARGET, "w") as file:
        json.dump(_sums, file)


gc.callbacks.append(_note)
atexit.register(_write)
