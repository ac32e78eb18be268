"""A look into the operator's process that needs no change of it: how long garbage collection takes.

Python runs `sitecustomize` from the path at its start; that in `site/` here notes each collection.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks import shipped

VARIABLE = "BENCHMARK_PAUSES"


def probed(pauses: Path) -> dict[str, str]:
    """The environment that makes a Python that starts write this file at its end."""
    return {"PYTHONPATH": shipped.path_for_probe(), VARIABLE: str(pauses)}
