"""Terminals in this checkout, on a local cluster of the walk's own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from docgen.blocks import ROOT
from localcluster import Tier, lifecycle, machine


@pytest.fixture(scope="module")
def own(request: pytest.FixtureRequest) -> Iterator[Mapping[str, str]]:
    """Environment in which `make` works on a cluster of this module's own; ended with it."""
    if machine.tier_to_test(Tier.NODE) is not Tier.NODE:
        pytest.skip("needs a real node")
    # What a walk that failed has left: `wfe bundle new` overwrites nothing.
    for name in ("greet", "set-config"):
        shutil.rmtree(ROOT / "build" / name, ignore_errors=True)
    state = Path(tempfile.mkdtemp(prefix="wfe-walk-")).resolve()
    try:
        yield {"WFE_CLUSTER_STATE": str(state), "MAKEFLAGS": ""}
    finally:
        lifecycle.stop(state)
