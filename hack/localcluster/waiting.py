"""Waiting for a fact with a deadline, for code without an event loop."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_SECONDS = 0.05


def eventually(holds: Callable[[], object], seconds: float = 30.0, what: str = "") -> None:
    """Poll until `holds` returns something true. Raises TimeoutError at the deadline."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what or 'condition'}: not true within {seconds:.0f} s")
        time.sleep(POLL_SECONDS)
