"""Kwok plays the node where no container can run; the test forces that on every machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcluster import Tier, eventually, running
from localcluster.samples import reason_of, start_run


def test_run_of_a_bundle_ends_on_a_node_played_by_kwok(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("WFE_FORCE_KWOK", "1")
    step = {"name": "only", "image": "localcluster.invalid/none", "command": ["true"]}
    with running(Tier.NODE, tmp_path / "state") as cluster:
        assert cluster.tier is Tier.KWOK
        run = start_run(cluster, "default", step)
        eventually(lambda: reason_of(cluster, run), 60, "the end of the run")
        assert reason_of(cluster, run) == "Succeeded"
    assert "kwok plays the node instead" in capsys.readouterr().err
