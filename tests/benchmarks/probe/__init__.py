"""A look into the operator's process that needs no change of it: how long garbage collection takes.

Python runs `sitecustomize` from the path at its start; that in `site/` here notes each collection.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SITE = Path(__file__).parent / "site"
VARIABLE = "BENCHMARK_PAUSES"


@contextmanager
def probed(pauses: Path) -> Iterator[None]:
    """Within the block, the environment makes a Python that starts write this file at its end."""
    before = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = f"{_SITE}{os.pathsep}{before}"
    os.environ[VARIABLE] = str(pauses)
    try:
        yield
    finally:
        os.environ["PYTHONPATH"] = before
        del os.environ[VARIABLE]
