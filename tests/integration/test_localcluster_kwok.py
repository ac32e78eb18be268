"""Where no container can run, kwok plays the node: forced here, so that every machine checks it."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcluster import Tier, eventually, running
from localcluster.oci import push_bundle

RUNS = "/apis/tekton.dev/v1/namespaces/default/pipelineruns"


def test_run_of_a_bundle_ends_on_a_node_played_by_kwok(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("WFE_FORCE_KWOK", "1")
    with running(Tier.NODE, tmp_path / "state") as cluster:
        assert cluster.tier is Tier.KWOK
        assert cluster.registry
        step = {"name": "only", "image": "localcluster.invalid/none", "command": ["true"]}
        pipeline = {
            "apiVersion": "tekton.dev/v1",
            "kind": "Pipeline",
            "metadata": {"name": "workflow"},
            "spec": {"tasks": [{"name": "first", "taskSpec": {"steps": [step]}}]},
        }
        bundle = push_bundle(cluster.registry, "bundles/kwok", objects=[pipeline])
        values = {"bundle": bundle, "name": "workflow", "kind": "pipeline"}
        params = [{"name": name, "value": value} for name, value in values.items()]
        run = {
            "apiVersion": "tekton.dev/v1",
            "kind": "PipelineRun",
            "metadata": {"name": "run"},
            "spec": {"pipelineRef": {"resolver": "bundles", "params": params}},
        }
        cluster.request("POST", RUNS, run)

        def reason() -> str:
            status = cluster.request("GET", f"{RUNS}/run").get("status", {})
            return str(status.get("conditions", [{}])[0].get("reason"))

        eventually(lambda: reason() == "Succeeded", 60, "the run's success")
    assert "kwok plays the node instead" in capsys.readouterr().err
