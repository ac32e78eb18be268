"""Plots for the documentation: how latencies spread, how throughput goes, what memory is used."""

from __future__ import annotations

from pathlib import Path

from benchmarks.workloads import Result


def draw(name: str, result: Result, folder: Path) -> None:
    """Draw what a workload has series for."""
