"""The tekton tier: a webhook that really admits, a resolver that really reads bundles."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from localcluster import ApiError, Cluster, eventually
from localcluster.cluster import MERGE
from localcluster.programs import Tier
from localcluster.samples import RUNS, run_of, start_run


def test_webhook_refuses_what_tekton_does_not_understand(
    tekton_cluster: Cluster, namespace: str
) -> None:
    bad = {**run_of("unused"), "spec": {}}
    with pytest.raises(ApiError, match=r"webhook.*expected exactly one"):
        tekton_cluster.request("POST", RUNS.format(namespace=namespace), bad)


def test_a_shell_is_told_how_to_use_the_cluster(tekton_cluster: Cluster) -> None:
    """Also where there is a registry and no image for steps in it."""
    told = subprocess.run(
        [sys.executable, "-m", "localcluster", "env", f"--state={tekton_cluster.state}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert f"export KUBECONFIG={tekton_cluster.kubeconfig}" in told.stdout
    assert f"export REGISTRY={tekton_cluster.registry}" in told.stdout
    has_toolbox = tekton_cluster.tier is Tier.NODE
    assert ("export TOOLBOX=" in told.stdout) is has_toolbox


def test_webhook_converts_between_versions(tekton_cluster: Cluster, namespace: str) -> None:
    old = f"/apis/tekton.dev/v1beta1/namespaces/{namespace}/pipelineruns"
    assert tekton_cluster.request("GET", old)["items"] == []


def test_webhook_lets_a_run_that_has_ended_be_annotated(
    tekton_cluster: Cluster, namespace: str
) -> None:
    """As `kubectl wfe clear` does; its spec cannot be changed any more."""
    run = run_of("nowhere.invalid/none:v1")
    created = tekton_cluster.request("POST", RUNS.format(namespace=namespace), run)
    path = f"{RUNS.format(namespace=namespace)}/{created['metadata']['name']}"

    def has_ended() -> bool:
        conditions = tekton_cluster.request("GET", path).get("status", {}).get("conditions", [])
        return any(one["status"] == "False" for one in conditions)

    eventually(has_ended, 60, "the end of the run")
    note = {"metadata": {"annotations": {"kubernaut.ai/clear-execution-block": "jane: looked"}}}
    changed = tekton_cluster.request("PATCH", path, note, MERGE)
    assert changed["metadata"]["annotations"].items() >= note["metadata"]["annotations"].items()


def test_run_of_a_bundle_gets_as_far_as_its_pod(tekton_cluster: Cluster, namespace: str) -> None:
    step = {"name": "only", "image": "localcluster.invalid/none", "command": ["true"]}
    start_run(tekton_cluster, namespace, step)
    pods = f"/api/v1/namespaces/{namespace}/pods"
    eventually(lambda: tekton_cluster.request("GET", pods)["items"], 30, "the pod of the run")
